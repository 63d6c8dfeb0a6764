# SPDX-License-Identifier: BSD-2-Clause
"""The study of acceleration, its whole program on a tiny plan; examples/acceleration.sh; the page and what it is made of."""
import json
import os
import shutil
import sys
import types

from rig import BUILD, PROGRAM, SOURCE, faces, main, maskdm, read, run

BENCH = os.path.join(SOURCE, "tests", "bench")
PLAN = {
    "common": {"ema_start": 2, "log_every": 5},
    "networks": {"small": {"network": "uvit", "dim": 16, "depth": 3, "heads": 2}},
    "groups": {"tiny": {"data": "faces", "about": "faces", "options": {"image_size": 16, "patch_size": 4,
                                                                        "batch_tokens": 64, "prediction": "x0"},
                        "budgets": [4e-7], "tuned": [4e-7], "held_out_count": 8, "authors": "whole",
                        "scratch": "whole"},
               "few": {"data": "faces", "about": "one or two evaluations", "options": {"batch_tokens": 64},
                       "budgets": [2e-7], "tuned": [2e-7], "plot": False, "held_out_count": 8, "drawn_count": 4,
                       "authors": "few", "scratch": "few"}},
    "tuning": {"share": 0.5, "seed": 9, "beta2": [0.99, 0.9], "beyond": 1, "held_out_count": 4},
    "seeds": [1, 2],
    "arms": [
        {"name": "whole", "group": "tiny", "network": "small", "about": "whole images", "lr": [1e-3],
         "stages": [{"share": 1, "decay_share": 0.5}]},
        {"name": "grid", "group": "tiny", "network": "small", "about": "masked first", "lr": [2e-3], "beta2": [0.9],
         "options": {"beta1": 0.9}, "beyond": 0,
         "stages": [{"share": 0.5, "warmup_share": 0.2, "mask": "grid"},
                    {"share": 0.5, "carry": "all", "lr_times": 0.5}]},
        {"name": "few", "group": "few", "from": {"arm": "grid", "budget": 4e-7}, "tune": True, "about": "tuned",
         "lr": [1e-4], "beta2": [0.9], "beyond": 0, "stages": [{"share": 1}], "drawn": [["consistency", 1]]}]}
PAGE = "before\n<!-- study: tiny -->\nold\n<!-- end -->\n<!-- study: tiny settings -->\n<!-- end -->\n" \
       "<!-- study: tiny tuning -->\n<!-- end -->\n" + "".join(
           "<!-- study: %s -->\n<!-- end -->\n" % name
           for name in ("tiny acceleration", "few", "few settings", "few tuning", "few drawn")) + "behind\n"


def study(*words, **expected):
    data = "faces=%s,%s,%s" % tuple(map(os.path.abspath, ("train", "held-out", "train")))
    return run(sys.executable, os.path.join(BENCH, "study.py"), PROGRAM, "plan.json", "results.jsonl", "runs", "--data", data,
               *words, timeout=300, **expected)


def report(*words, **expected):
    return run(sys.executable, os.path.join(BENCH, "study_report.py"), "plan.json", "results.jsonl", "page.md", ".", *words,
               **expected)


def records():
    return {r["key"]: r for r in map(json.loads, read("results.jsonl").splitlines())}


def check_study():
    """All runs of a plan, once each, at the FLOPs that were asked for; goes on where it was stopped; tables that follow."""
    faces("train", 24)
    faces("held-out", 8, 16, 1)
    with open("plan.json", "w", encoding="utf-8") as f:
        json.dump(PLAN, f)
    said = study("--minutes", 0).stdout
    assert "stopped" in said and not os.path.exists("results.jsonl"), said
    said = study("--arms", "whole", "--budgets", "4e-7").stdout
    assert "all runs are done" in said, said
    made = records()
    rates = sorted({r["lr"] for r in made.values() if r["seed"] == 9})
    # A rate alone is an end, so that one more is tried; then the other decay at the best.
    assert len(rates) == 2 and sum(r["seed"] == 9 for r in made.values()) == 3, made
    assert sorted(r["seed"] for r in made.values() if r["seed"] != 9) == [1, 2], made
    tuned = min((r for r in made.values() if r["seed"] == 9), key=lambda r: r["ema"]["mean"])
    assert all((r["lr"], r["beta2"]) == (tuned["lr"], tuned["beta2"]) for r in made.values() if r["seed"] != 9), made
    before = read("results.jsonl")
    study("--jobs", 2, "--arms", "whole,grid")  # what has its line is not run again
    assert read("results.jsonl").startswith(before)
    made = [r for r in records().values() if r["seed"] != 9]
    assert sorted((r["arm"], r["seed"]) for r in made) == [("grid", 1), ("grid", 2), ("whole", 1), ("whole", 2)], made
    for r in made:
        assert abs(r["flops"] - r["budget"] * 1e15) < 0.05 * r["budget"] * 1e15, r
        assert len(r["steps"]) == (2 if r["arm"] == "grid" else 1) and len(r["ema"]["levels"]) == 8, r
    r = next(r for r in made if r["arm"] == "grid" and r["seed"] == 2)
    folder = [n for n in os.listdir("runs") if n.startswith("grid-4e-07-") and n.endswith("seed-2")]
    said = json.loads(maskdm("evaluate", "--model", "runs/%s/model.safetensors" % folder[0], "--data", "held-out",
                             "--json").stdout)["held_out"]
    assert r["ema"]["mean"] == said["ema"]["x0_error"] and r["online"]["mean"] == said["online"]["x0_error"], (r, said)
    few(made)
    tables(made)


def few(made):
    """An arm that goes on from another's model, is tuned, and draws; the models of another day are made again."""
    shutil.rmtree("runs")
    study("--arms", "few")
    runs = [r for r in records().values() if r.get("arm") == "few"]
    drawn = {r["of"]: r["distance"] for r in records().values() if "of" in r}
    assert sorted(r["seed"] for r in runs) == [1, 2] and set(drawn) == {r["key"] for r in runs}, records()
    again = [r for r in records().values() if r.get("arm") == "grid" and r["seed"] != 9]
    assert sorted(r["ema"]["mean"] for r in again) == sorted(r["ema"]["mean"] for r in made if r["arm"] == "grid"), again


def tables(made):
    with open("page.md", "w", encoding="utf-8") as f:
        f.write(PAGE)
    report("--check", status=1, says=["page.md"])
    report()
    report("--check")
    page = read("page.md").decode()
    assert page.startswith("before\n") and page.endswith("behind\n") and "old" not in page, page
    rows = [row.split(" | ") for row in page.splitlines() if row.startswith("| grid | 4e-07 | 2")]
    errors = sorted(r["ema"]["mean"] for r in made if r["arm"] == "grid")
    assert rows and rows[0][3] == "%.4f (%.4f to %.4f)" % (sum(errors) / 2, *errors), page
    assert page.count("| few | 2e-07 | consistency in 1 | 2 | ") == 1, page
    assert "<svg" in read("acceleration-tiny.svg").decode() and ">grid</text>" in read("acceleration-tiny.svg").decode()


def check_acceleration():
    """How many times the FLOPs a baseline needs, of curves with a known answer."""
    sys.path.insert(0, os.path.abspath(BENCH))
    from study_report import at_its_best, needed
    curve = [(1.0, 0.4), (2.0, 0.2), (8.0, 0.1)]
    assert needed(curve, 0.2) == (2.0, "") and abs(needed(curve, 0.2 / 2 ** 0.5)[0] - 4) < 1e-9
    base = types.SimpleNamespace(name="base", runs=[1], curve=lambda _: curve)
    arm = types.SimpleNamespace(name="arm", runs=[1], curve=lambda _: [(2.0, 0.2), (4.0, 0.1)])
    assert at_its_best(base, arm, None) == "2" and at_its_best(arm, base, None) == "0.5"
    assert not at_its_best(base, base, None)
    arm.curve = lambda _: [(2.0, 0.05)]
    assert at_its_best(base, arm, None) == "> 4" and at_its_best(arm, base, None) == "< 0.25"
    assert needed(curve, 0.05) == (8.0, ">") and needed(curve, 0.5) == (1.0, "<")


def check_page():
    """The page's tables and plots are what the committed results make."""
    doc = os.path.join(SOURCE, "doc")
    run(sys.executable, os.path.join(BENCH, "study_report.py"), os.path.join(BENCH, "acceleration.json"),
        os.path.join(doc, "acceleration.jsonl"), os.path.join(doc, "acceleration.md"), os.path.join(doc, "images"), "--check")


def check_example():
    said = run("sh", os.path.join(SOURCE, "examples", "acceleration.sh"), "--short", "--out", "small study",
               env={**os.environ, "MASKDM_BUILD": BUILD}).stdout
    assert "scratch" in said and "masked" in said and "FLOP" in said, said
    run("sh", os.path.join(SOURCE, "examples", "acceleration.sh"), "--wrong", status=2, says=["acceleration.sh"])


if __name__ == "__main__":
    main(globals())
