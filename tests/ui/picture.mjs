// A picture of a page: a PNG as it is taken, and as the WebP that docs/img has.
import { writeFileSync } from "node:fs";

export const OUT = new URL("../../docs/img/", import.meta.url).pathname;

export async function keep(painter, png, name) {
  const source = png.toString("base64");
  const webp = await painter.evaluate(async text => {
    const image = new Image();
    image.src = `data:image/png;base64,${text}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.82).split(",")[1];
  }, source);
  writeFileSync(`${OUT}${name}.webp`, Buffer.from(webp, "base64"));
  writeFileSync(`/tmp/shot-${name}.png`, png);
}
