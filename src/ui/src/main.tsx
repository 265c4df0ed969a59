import "./style.css";
import { render } from "preact";
import { App } from "./app/App";

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<App />, root);
}
