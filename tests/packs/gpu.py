"""The GPU packs over what dcgm-exporter says: healthy cards at full load fire nothing, each fault fires its own alerts and no other.

The packs of hosts and their cards are loaded together. The files of ../shared/conformance/gpu where they are, and nodes made here: other cards, counts, codes, MIG layouts."""
import collections, itertools, random
from harness import *

GPU = os.path.join(os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared")), "conformance/gpu")
PACKS = ["ascend", "cadvisor", "dcgm", "fabric", "node", "nvidia-gpu-exporter", "training"]
MINUTES = 24  # longer than the longest `for` of these packs
BLANK = 9223372036854775794
LINE = re.compile(r'([A-Za-z_:][\w:]*)\{(.*)\} (\S+)$')
LABEL = re.compile(r'(\w+)="([^"]*)"')


def parse(text):
    """Series of an exposition: {(name, labels): value}."""
    out = {}
    for line in text.splitlines():
        m = LINE.match(line)
        if m:
            out[m[1], tuple(LABEL.findall(m[2]))] = m[3]
    return out


def label(key, name):
    return dict(key[1]).get(name, "")


# -- nodes made here --

Model = collections.namedtuple("Model", "name power idle clock boost")
MODELS = [Model("NVIDIA H200", 691, 85, 1485, 1980), Model("NVIDIA H100 80GB HBM3", 690, 70, 1500, 1980), Model("NVIDIA B200", 985, 140, 1650, 1965),
          Model("NVIDIA A100-SXM4-80GB", 397, 55, 1290, 1410), Model("NVIDIA L40S", 344, 35, 1900, 2520), Model("NVIDIA H20", 495, 75, 1800, 1980)]
DEFAULT_ZERO = ["PCIE_REPLAY_COUNTER", "ENC_UTIL", "DEC_UTIL", "XID_ERRORS", "NVLINK_BANDWIDTH_TOTAL", "VGPU_LICENSE_STATUS",
                "UNCORRECTABLE_REMAPPED_ROWS", "CORRECTABLE_REMAPPED_ROWS", "ROW_REMAP_FAILURE"]
OPTIONAL_ZERO = ["ECC_SBE_VOL_TOTAL", "ECC_DBE_VOL_TOTAL", "RETIRED_PENDING", "ROW_REMAP_PENDING", "NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL",
                 "NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", "NVLINK_REPLAY_ERROR_COUNT_TOTAL", "NVLINK_RECOVERY_ERROR_COUNT_TOTAL", "THERMAL_VIOLATION"]


class Node:
    """A node's series by (field, card, instance of MIG or None); values are a number, or the text of a test's series."""

    def __init__(self, rng, model=None, cards=8, busy=None, mig=(), optional=False, profiling=True, host="gpu-%d"):
        self.rng, self.model, self.cards = rng, model or rng.choice(MODELS), cards
        self.busy = list(range(cards if busy is None else busy))
        self.host = "gpu-%02d" % rng.randrange(100)
        self.v, self.profile = {}, {}
        for c in range(cards):
            self.card(c, c in self.busy, optional, profiling)
        for c, profiles in mig:
            self.split(c, profiles)

    def near(self, x, share=0.02):
        return round(x * self.rng.uniform(1 - share, 1 + share), 3)

    def card(self, c, busy, optional, profiling):
        m = self.model
        self.set(c, SM_CLOCK=int(self.near(m.clock, 0.03)) if busy else 345, MEM_CLOCK=3201, GPU_UTIL=self.rng.choice([97, 99, 100]) if busy else 0,
                 GPU_TEMP=self.rng.randrange(50, 78) if busy else self.rng.randrange(30, 45), MEMORY_TEMP=self.rng.randrange(45, 85) if busy else 38,
                 POWER_USAGE=self.near(m.power, 0.01) if busy else self.near(m.idle), MEM_COPY_UTIL=25 if busy else 0,
                 FB_USED=self.rng.randrange(20000, 76000) if busy else 4, FB_FREE=4000 if busy else 80000,
                 TOTAL_ENERGY_CONSUMPTION="%d+%dx%d" % (self.rng.randrange(10**12), m.power * 60000, MINUTES), **dict.fromkeys(DEFAULT_ZERO, 0))
        if profiling:
            self.prof(c, GR_ENGINE_ACTIVE=0.99 if busy else 0, PIPE_TENSOR_ACTIVE=self.near(0.8, 0.08) if busy else 0,
                      DRAM_ACTIVE=self.near(0.25, 0.08) if busy else 0)
        if optional:
            reasons = {0: 1, 1: 4}[int(busy)]
            self.set(c, CLOCKS_EVENT_REASONS=reasons, POWER_VIOLATION="1+30000000x%d" % MINUTES if busy else 0, **dict.fromkeys(OPTIONAL_ZERO, 0))

    def set(self, c, inst=None, **fields):
        for k, x in fields.items():
            self.v["DCGM_FI_DEV_" + k, c, inst] = x

    def prof(self, c, inst=None, **fields):
        for k, x in fields.items():
            self.v["DCGM_FI_PROF_" + k, c, inst] = x

    def split(self, c, profiles):
        """Rows of instances beside the card's own, of the fields that have such."""
        for i, profile in enumerate(profiles):
            self.profile[c, i] = profile
            for (name, card, inst), x in list(self.v.items()):
                if card == c and inst is None and re.search("GPU_UTIL|XID|FB_|_PROF_", name):
                    self.v[name, c, i] = x

    def series(self, labels=lambda c, inst: {}):
        for (name, c, inst), x in self.v.items():
            l = {"gpu": c, "UUID": f"GPU-{self.host}-{c:04d}", "pci_bus_id": f"00000000:{c + 1:02X}:00.0", "device": f"nvidia{c}", "modelName": self.model.name}
            if inst is not None:
                l |= {"GPU_I_PROFILE": self.profile[c, inst], "GPU_I_ID": inst + 3}
            l |= {"Hostname": self.host, "DCGM_FI_DRIVER_VERSION": "580.159.04"}
            if c in self.busy:
                l |= {"container": "trainer", "namespace": "llm", "pod": f"job-{c}"}
            yield name, tuple((k, str(y)) for k, y in (l | labels(c, inst)).items()), x

    def __iter__(self):
        return self.series()


Case = collections.namedtuple("Case", "name series expected")


def steady(x):
    return x if isinstance(x, str) and not re.fullmatch(r"[-\d.e+]+", x) else f"{x}x{MINUTES}"


def from_file(name, expected):
    with open(os.path.join(GPU, f"dcgm-{name}.txt")) as f:
        return Case(name, [(n, l, x) for (n, l), x in parse(f.read()).items()], expected)


def alert(name, gpu=None, xid=None):
    return tuple((k, str(x)) for k, x in (("alertname", name), ("gpu", gpu), ("xid", xid)) if x is not None)


def block(case):
    """A test group: nothing but the expected alerts fires at any minute."""
    out = [f"  - name: {json.dumps(case.name)}", "    interval: 1m", "    input_series:"]
    for n, l, x in case.series:
        out.append("      - {series: %s, values: '%s'}" % (json.dumps(n + "{" + ",".join(f'{k}="{v}"' for k, v in l) + "}"), steady(x)))
    out += ["    promql_expr_test:", f"      - eval_time: {MINUTES}m",
            "        expr: sum by (alertname, gpu, xid) (last_over_time(ALERTS{alertstate=\"firing\"}[1h]))",
            "        exp_samples: " + json.dumps([{"labels": "{" + ", ".join(f'{k}="{v}"' for k, v in a) + "}", "value": 1} for a in sorted(case.expected)])]
    return "\n".join(out)


def judge(cases):
    assert len({c.name for c in cases}) == len(cases)
    with folder() as d:
        path = os.path.join(d, "gpu.yml")
        write(path, f"rule_files: {[os.path.join(SOURCE, 'rules', p, '*.yml') for p in PACKS]}\nevaluation_interval: 1m\ntests:\n" + "\n".join(map(block, cases)) + "\n")
        r = subprocess.run([PROGRAM, "test", path], capture_output=True, text=True)
        assert r.returncode == 0, (r.stdout + r.stderr)[:6000]
    print(f"{len(cases)} nodes", end=" ")


def test_files():
    if not os.path.isdir(GPU):
        raise Skip("no captured expositions")
    hung = [alert("DcgmHang", c) for c in range(4)]
    judge([from_file("default", []), from_file("all", []), from_file("unsupported", []), from_file("mig", []),
           from_file("xid31", [alert("DcgmXidApplication", 3, 31)]), from_file("xid79", [alert("DcgmXidFellOffBus", 3, 79)]),
           from_file("ecc", [alert("DcgmRowRemapFailure", 2), alert("DcgmEccDoubleBit", 2)]),
           from_file("straggler", [alert("DcgmStraggler", 1)]), from_file("hang", hung)])


LAYOUTS = [["1g.18gb"] * 7, ["2g.35gb"] * 3, ["3g.71gb", "4g.71gb"], ["7g.141gb"], ["1g.18gb", "2g.35gb", "3g.71gb"]]


def test_healthy():
    rng = random.Random(19)
    cases = []
    for i in range(10):
        cards = rng.choice([1, 2, 4, 8, 16])
        cases.append(Case(f"healthy {i}", Node(rng, cards=cards, busy=rng.randrange(cards + 1), optional=i % 2), []))
    for i, m in enumerate(MODELS):
        cases.append(Case(f"full load of {m.name}", Node(rng, m, optional=True), []))
    for i, layout in enumerate(LAYOUTS):
        cases.append(Case(f"MIG {i}", Node(rng, cards=i + 1, mig=[(0, layout)]), []))
    blank = Node(rng, optional=True, profiling=False)
    for c in range(8):
        blank.set(c, MEMORY_TEMP=BLANK, PCIE_REPLAY_COUNTER=BLANK + 1, XID_ERRORS=BLANK - 2, ROW_REMAP_FAILURE=2147483632, ECC_DBE_VOL_TOTAL=BLANK,
                  UNCORRECTABLE_REMAPPED_ROWS=f"0x5 {BLANK}x9", POWER_USAGE=140737488355328, GPU_UTIL=2147483634, RETIRED_PENDING=BLANK,
                  CLOCKS_EVENT_REASONS=BLANK, THERMAL_VIOLATION=f"0x5 {BLANK}x9", NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL=f"0x5 {BLANK}x9")
    cases.append(Case("blank", blank, []))
    mixed = Node(rng, MODELS[0], busy=4)  # lighter work beside work at the power cap: boosted, no straggler
    mixed.set(3, SM_CLOCK=1980, POWER_USAGE=640)
    cases.append(Case("lighter work", mixed, []))
    judge(cases)


CODES = {79: "FellOffBus", 74: "Nvlink", 145: "Nvlink", 149: "Nvlink", 48: "ResetNeeded", 62: "ResetNeeded", 64: "ResetNeeded", 95: "ResetNeeded",
         46: "ResetNeeded", 109: "ResetNeeded", 119: "ResetNeeded", 120: "ResetNeeded", 140: "ResetNeeded", 94: "Contained", 154: "RecoveryAction",
         63: "Watch", 92: "Watch", 13: "Application", 31: "Application", 32: "Application", 43: "Application", 45: "Application", 69: "Application",
         61: "Other", 151: "Other", 999: "Other"}


def test_codes():
    rng = random.Random(20)
    cases = []
    for code, kind in CODES.items():
        n = Node(rng, cards=rng.choice([1, 4, 8]), optional=code % 2)
        c = rng.randrange(n.cards)
        n.set(c, XID_ERRORS=code)
        cases.append(Case(f"XID {code}", n, [alert("DcgmXid" + kind, c, code)]))
    for code in (31, 94, 79):  # on a card in MIG mode: one row or all, one alert
        for rows in ([0], [None, 0, 1, 2]):
            n = Node(rng, cards=2, mig=[(1, LAYOUTS[1])])
            for r in rows:
                n.set(1, r, XID_ERRORS=code)
            cases.append(Case(f"MIG with XID {code} in {len(rows)} rows", n, [alert("DcgmXid" + CODES[code], 1, code)]))
    n = Node(rng, cards=4)
    n.set(2, XID_ERRORS="0x4 48x0 45x18")
    cases.append(Case("48, hidden by 45", n, [alert("DcgmXidResetNeeded", 2, 48)]))
    n = Node(rng, cards=4)
    n.set(2, XID_ERRORS="0x4 31x5 79x13")
    cases.append(Case("31, then 79", n, [alert("DcgmXidApplication", 2, 31), alert("DcgmXidFellOffBus", 2, 79)]))
    # newer exporters: a label with the code, nothing before the first
    n = Node(rng, cards=4)
    codes = lambda c, inst: {"err_code": "119"} if c == 1 else {"err_code": "0"}
    n.set(1, XID_ERRORS="_x6 119x17")
    cases.append(Case("code as a label", n.series(codes), [alert("DcgmXidResetNeeded", 1, 119)]))
    judge(cases)


def test_repeats():
    """The gauge does not tell a repeat of a code; the counter in a window does."""
    rng = random.Random(21)
    cases = []
    for code, kind, again in ((94, "Contained", "DcgmXidRepeated"), (31, "Application", "DcgmXidApplicationRepeated")):
        for repeats in (False, True):
            n = Node(rng, cards=2, optional=True)
            n.set(1, XID_ERRORS=f"0x1 {code}x{MINUTES}")
            counts = list(n) + [("DCGM_EXP_XID_ERRORS_COUNT", (("gpu", "1"), ("UUID", f"GPU-{n.host}-0001"), ("Hostname", n.host), ("xid", str(code)),
                                                               ("window_size_in_ms", "300000")), "_x2 1x4 _x9" + (" 1x4" if repeats else ""))]
            cases.append(Case(f"XID {code}, {'again' if repeats else 'once'}", counts,
                              [alert("DcgmXid" + kind, 1, code)] + [alert(again, 1, code)] * repeats))
    judge(cases)


def test_faults():
    rng = random.Random(22)
    cases = []

    def fault(name, change, *expected, **keys):
        for i in range(2):
            n = Node(rng, optional=True, **keys)
            c = rng.choice(n.busy)
            change(n, c)
            cases.append(Case(f"{name} {i}", n, [alert(a, c) for a in expected]))

    fault("remapping failed", lambda n, c: n.set(c, ROW_REMAP_FAILURE=1, UNCORRECTABLE_REMAPPED_ROWS="0x5 9x18"), "DcgmRowRemapFailure")
    fault("remapped", lambda n, c: n.set(c, UNCORRECTABLE_REMAPPED_ROWS="0x5 1x18"), "DcgmUncorrectableRemap")
    fault("few remapped", lambda n, c: n.set(c, CORRECTABLE_REMAPPED_ROWS="0x5 4x18"))
    fault("many remapped", lambda n, c: n.set(c, CORRECTABLE_REMAPPED_ROWS="0x5 12x18"), "DcgmCorrectableRemap")
    fault("double-bit errors", lambda n, c: n.set(c, ECC_DBE_VOL_TOTAL=rng.randrange(1, 9)), "DcgmEccDoubleBit")
    fault("hot", lambda n, c: n.set(c, GPU_TEMP=rng.randrange(86, 91)), "DcgmTemperatureHigh")
    fault("very hot", lambda n, c: n.set(c, GPU_TEMP=rng.randrange(91, 96)), "DcgmTemperatureCritical")
    fault("hot and slow", lambda n, c: n.set(c, GPU_TEMP=93, SM_CLOCK=700, POWER_USAGE=n.model.power * 0.5, CLOCKS_EVENT_REASONS=0x48), "DcgmTemperatureCritical")
    fault("hot memory", lambda n, c: n.set(c, MEMORY_TEMP=rng.randrange(96, 110)), "DcgmMemoryTemperatureHigh")
    for bits in (0x8, 0x20, 0x40, 0x80, 0xc8, 0x2c):
        fault(f"throttled {bits:#x}", lambda n, c: n.set(c, CLOCKS_EVENT_REASONS=bits), "DcgmThrottled")
    for bits in (0, 1, 2, 4, 0x10, 0x100, 0x116):
        fault(f"not throttled {bits:#x}", lambda n, c: n.set(c, CLOCKS_EVENT_REASONS=bits))
    fault("thermal violation", lambda n, c: n.set(c, THERMAL_VIOLATION=f"0+12000000x{MINUTES}"), "DcgmThermalViolation")
    fault("replays", lambda n, c: n.set(c, PCIE_REPLAY_COUNTER=f"0+12x{MINUTES}"), "DcgmPcieReplays")
    fault("few replays", lambda n, c: n.set(c, PCIE_REPLAY_COUNTER=f"0+4x{MINUTES}"))
    fault("NVLink replay", lambda n, c: n.set(c, NVLINK_REPLAY_ERROR_COUNT_TOTAL="3x9 4x14"), "DcgmNvlinkErrors")
    fault("NVLink CRC", lambda n, c: n.set(c, NVLINK_CRC_DATA_ERROR_COUNT_TOTAL=f"0+9000x{MINUTES}"), "DcgmNvlinkCrc")
    fault("NVLink, few CRC", lambda n, c: n.set(c, NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL=f"0+90x{MINUTES}"), "DcgmNvlinkCrcSome")
    fault("remap pending", lambda n, c: n.set(c, ROW_REMAP_PENDING=1), "DcgmRowRemapPending")
    fault("retired pages", lambda n, c: n.set(c, RETIRED_PENDING=2), "DcgmRetiredPagesPending")
    fault("no readings", lambda n, c: n.set(c, GPU_TEMP=0, POWER_USAGE=0, GPU_UTIL=0), "DcgmCardUnreadable")
    fault("no readings, 79", lambda n, c: n.set(c, GPU_TEMP=0, POWER_USAGE=0, GPU_UTIL=0))
    for case in cases[-2:]:  # the code explains it
        c = next(int(dict(l)["gpu"]) for name, l, x in case.series if name == "DCGM_FI_DEV_GPU_TEMP" and x == 0)
        case.series.set(c, XID_ERRORS=79)
        case.expected.append(alert("DcgmXidFellOffBus", c, 79))
    for gone in range(2):  # the card's rows end: without a code, and after one
        n = Node(rng, cards=4)
        n.v = {k: f"{x}x8" if k[1] == 2 and not str(x).startswith("0x") and "x" not in str(x) else x for k, x in n.v.items() if k[1] != 2 or "ENERGY" not in k[0]}
        if gone:
            n.set(2, XID_ERRORS="0x6 79x1")
        cases.append(Case(f"a card is gone {gone}", n, [alert("DcgmXidFellOffBus", 2, 79)] if gone else [alert("DcgmCardLost")]))
    judge(cases)


def test_stragglers():
    rng = random.Random(23)
    cases = []
    for cards, size in itertools.product((2, 4, 8, 16), (0.1, 0.3, 0.5, 0.6)):
        for profiling in (True, False):
            n = Node(rng, cards=cards, busy=max(2, cards // rng.choice([1, 2])), profiling=profiling)
            c, m = rng.choice(n.busy), n.model
            n.set(c, SM_CLOCK=int(m.clock * size), POWER_USAGE=m.idle + (m.power - m.idle) * size)
            if profiling:
                n.prof(c, PIPE_TENSOR_ACTIVE=0.8 * size)
            cases.append(Case(f"one of {cards} at {size}, profiling {profiling}", n, [alert("DcgmStraggler", c)]))
    for size in (0.9, 0.95):
        n = Node(rng, MODELS[0])
        n.set(3, SM_CLOCK=int(1485 * size), POWER_USAGE=691 * size)
        n.prof(3, PIPE_TENSOR_ACTIVE=0.8 * size)
        cases.append(Case(f"nearly as fast: {size}", n, []))
    n = Node(rng, MODELS[0])  # memory-bound beside compute-bound
    n.set(5, SM_CLOCK=1980, POWER_USAGE=420)
    n.prof(5, PIPE_TENSOR_ACTIVE=0.06, DRAM_ACTIVE=0.8)
    cases.append(Case("decoding beside prefill", n, []))
    judge(cases)


def test_hangs():
    rng = random.Random(24)
    cases = []
    for m in MODELS:
        n = Node(rng, m, busy=rng.choice([2, 4, 8]))
        for c in n.busy:
            n.set(c, SM_CLOCK=m.boost, POWER_USAGE=n.near(m.idle * 1.6), GPU_UTIL=100)
            n.prof(c, PIPE_TENSOR_ACTIVE=0, DRAM_ACTIVE=rng.choice([0, 0.004]))
        cases.append(Case(f"a hang on {m.name}", n, [alert("DcgmHang", c) for c in n.busy]))
    n = Node(rng, MODELS[0])
    for c in (0, 5):  # some hang, others work
        n.set(c, SM_CLOCK=1980, POWER_USAGE=131, GPU_UTIL=100)
        n.prof(c, PIPE_TENSOR_ACTIVE=0, DRAM_ACTIVE=0)
    cases.append(Case("two of eight hang", n, [alert("DcgmHang", 0), alert("DcgmHang", 5)]))
    n = Node(rng, MODELS[0])
    for c in n.busy:  # a checkpoint of some minutes
        n.set(c, GPU_UTIL=100, POWER_USAGE="131x7 690x15")
        n.prof(c, PIPE_TENSOR_ACTIVE="0x7 0.8x15", DRAM_ACTIVE="0x7 0.2x15")
    cases.append(Case("a pause of 8 minutes", n, []))
    for count in (1, 2, 8):  # cards without profiling counters: by what they drew before, two or more on a host
        n = Node(rng, MODELS[0], profiling=False)
        for c in range(count):
            n.set(c, SM_CLOCK=1980, GPU_UTIL=100, POWER_USAGE="691x6 131x16")
        cases.append(Case(f"{count} hang without profiling", n, [alert("TrainingCardsWait")] if count > 1 else []))
    judge(cases)


def test_scraped():
    """Once by the road that users take: scraped, and evaluated by the server."""
    rng = random.Random(25)
    n = Node(rng, MODELS[0], cards=4, mig=[(1, LAYOUTS[1])], optional=True)
    n.set(2, XID_ERRORS=79, GPU_TEMP=0, POWER_USAGE=0, GPU_UTIL=0, MEMORY_TEMP=BLANK)
    with folder() as d, Exporter() as e:
        for f in ("alerts", "optional"):
            with open(os.path.join(SOURCE, f"rules/dcgm/{f}.yml")) as g:
                write(os.path.join(d, f + ".yml"), re.sub(r"(?m)^        for: \S+$", "        for: 1s", g.read()))
        text = "".join("%s{%s} %s\n" % (name, ",".join(f'{k}="{v}"' for k, v in l), re.split("[+x]", str(x))[0]) for name, l, x in n)
        e.text("/metrics", text)
        config = ("global: {scrape_interval: 500ms, evaluation_interval: 500ms}\nstorage: {keep: all}\nrule_files: [alerts.yml, optional.yml]\n"
                  "scrape_configs: [{job_name: dcgm, static_configs: [{targets: ['%s']}]}]\n" % e.address)
        with Tocsin(config, d) as t:
            firing = lambda: sorted((a["labels"]["alertname"], a["labels"].get("gpu")) for a in t.get("/api/v1/alerts").json()["data"]["alerts"]
                                    if a["state"] == "firing")
            until("the card that fell off the bus", firing, 20)
            samples = lambda: t.get("/api/v1/query?query=count_over_time(card:dcgm_gpu_temp:max[1h])").json()["data"]["result"]
            until("three seconds of evaluations", lambda: [s for s in samples() if int(s["value"][1]) > 8], 20)
            equal(firing(), [("DcgmXidFellOffBus", "2")])


if __name__ == "__main__":
    main()
