# SPDX-License-Identifier: BSD-2-Clause
"""Tables and plots of a study's results: study_report.py PLAN RESULTS PAGE IMAGES [--check]

Writes what stands between the lines <!-- study: NAME --> and <!-- end --> of PAGE (a name is that of a group of the
plan, alone, with `settings`, `tuning`, where it has a `drawn_count` with `drawn`, and where it does not say that there is
no `plot` with `acceleration`), and IMAGES/acceleration-NAME.svg for each group that is plotted. With --check nothing is written, and what differs is told.
"""
import argparse
import json
import math
import os
import re
import statistics
import sys

import svg
from study import read_records


class Arm:
    """What is known of one arm: by budget, the records of the reported seeds."""

    def __init__(self, arm, plan, records):
        self.name, self.about, self.runs, self.tuned = arm["name"], arm["about"], {}, {}
        mine = (r for r in records.values() if r.get("arm") == self.name)
        for r in sorted(mine, key=lambda r: (r["budget"], r["lr"])):
            kept = self.runs if r["seed"] in plan["seeds"] else self.tuned
            kept.setdefault(r["budget"], []).append(r)

    def errors(self, budget, measure):
        return sorted(measure(r) for r in self.runs[budget])

    def curve(self, measure):
        """(FLOPs, error) by budget, medians over the seeds."""
        return [(statistics.median(r["flops"] for r in self.runs[b]), statistics.median(self.errors(b, measure)))
                for b in self.runs]


def mean(record):
    return record["ema"]["mean"]


def even(record):
    """Geometric mean over the levels of noise: the noisy ones, whose errors are largest, count no more than the others."""
    return math.exp(statistics.fmean(math.log(x) for x in record["ema"]["levels"]))


def needed(curve, error):
    """(FLOPs at which a curve has this error, "") between its points on logarithmic axes; beyond them an end, and "<" or ">"."""
    for (f0, e0), (f1, e1) in zip(curve, curve[1:]):
        if e1 <= error <= e0:
            way = math.log(e0 / error) / math.log(e0 / e1) if e0 > e1 else 0
            return f0 * (f1 / f0) ** way, ""
    return (curve[0][0], "<") if error > curve[0][1] else (curve[-1][0], ">")


def times(baseline, arm, budget, measure):
    """How many times the arm's FLOPs the baseline needs for its error; never extrapolated."""
    if not baseline or not baseline.runs or baseline.name == arm.name:
        return ""
    runs = arm.runs[budget]
    flops = statistics.median(r["flops"] for r in runs)
    found, bound = needed(baseline.curve(measure), statistics.median(arm.errors(budget, measure)))
    return "%s%.2g" % (bound + " " if bound else "", found / flops)


def at_its_best(baseline, arm, measure):
    """How many times the arm's FLOPs the baseline spent on the error that it has at its largest budget."""
    if not baseline.runs or not arm.runs or baseline.name == arm.name:
        return ""
    flops, error = baseline.curve(measure)[-1]
    found, bound = needed(arm.curve(measure), error)
    return "%s%.2g" % ({"": "", "<": "> ", ">": "< "}[bound], flops / found)


def span(values, form="%.4f"):
    if not values:
        return ""
    middle = form % statistics.median(values)
    return middle if len(values) == 1 else "%s (%s to %s)" % (middle, form % values[0], form % values[-1])


def table(plan, name, arms):
    group = plan["groups"][name]
    authors, scratch = (next(a for a in arms if a.name == group[k]) for k in ("authors", "scratch"))
    rows = ["| arm | PFLOP | seeds | error of x0 | even mean over levels | FLOPs of the authors' settings | of tuned scratch |",
            "| --- | --- | --- | --- | --- | --- | --- |"]
    for arm in arms:
        for budget in arm.runs:
            rows.append("| %s | %g | %d | %s | %s | %s | %s |" % (
                arm.name, budget, len(arm.runs[budget]), span(arm.errors(budget, mean)), span(arm.errors(budget, even)),
                times(authors, arm, budget, mean), times(scratch, arm, budget, mean)))
    return rows


def accelerations(plan, name, arms):
    group = plan["groups"][name]
    baselines = [a for k in ("authors", "scratch") for a in arms if a.name == group[k]]
    rows = ["| arm | of the authors' settings | the same, even mean | of tuned scratch | the same, even mean |",
            "| --- | --- | --- | --- | --- |"]
    for arm in arms:
        ratios = [at_its_best(baseline, arm, measure) for baseline in baselines for measure in (mean, even)]
        if any(ratios):
            rows.append("| %s | %s |" % (arm.name, " | ".join(ratios)))
    return rows


def settings(arms):
    rows = ["| arm | what it is | rate and decay of the second moment, by budget | steps |", "| --- | --- | --- | --- |"]
    for arm in arms:
        chosen = ["%g: %g, %g" % (b, r[0]["lr"], r[0]["beta2"]) for b, r in arm.runs.items()]
        steps = ["+".join(str(s) for s in r[0]["steps"]) for r in arm.runs.values()]
        rows.append("| %s | %s | %s | %s |" % (arm.name, arm.about, "; ".join(chosen) or "not run", "; ".join(steps)))
    return rows


def tuning(arms):
    """Of the seed that is not reported: one run each, which says how flat the choice is."""
    rows = ["| arm | PFLOP | rate, decay of the second moment: error of x0 |", "| --- | --- | --- |"]
    for arm in arms:
        for budget, runs in arm.tuned.items():
            rows.append("| %s | %g | %s |" % (arm.name, budget, "; ".join(
                "%g, %g: %.4f" % (r["lr"], r["beta2"], mean(r)) for r in runs)))
    return rows


def drawn(arms, records):
    """What the drawn images of models are from the reference, by arm, budget and way of drawing."""
    rows = ["| arm | PFLOP | drawn by | seeds | distance | precision | recall |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for arm in arms:
        for budget, runs in arm.runs.items():
            ways, keys = {}, {r["key"] for r in runs}
            for r in records.values():
                if r.get("of") in keys:
                    ways.setdefault((r["sampler"], r["drawing_steps"]), []).append(r)
            for way, found in sorted(ways.items()):
                columns = [span(sorted(r[name] for r in found if name in r), form)
                           for name, form in (("distance", "%.3f"), ("precision", "%.2f"), ("recall", "%.2f"))]
                rows.append("| %s | %g | %s in %d | %d | %s |" % (arm.name, budget, *way, len(found), " | ".join(columns)))
    return rows


def drawing(plan, name, arms):
    lines = {a.name: [(statistics.median(r["flops"] for r in a.runs[b]) / 1e15, e[0], statistics.median(e), e[-1])
                      for b in a.runs for e in [a.errors(b, mean)]] for a in arms if a.runs}
    return svg.plot(plan["groups"][name]["about"], "PFLOP of training", "held-out error of x0", lines) if lines else ""


def replaced(page, name, rows):
    """The page with these lines between the marks of a name."""
    marks = re.compile(r"(<!-- study: %s -->\n).*?(<!-- end -->)" % re.escape(name), re.S)
    if not marks.search(page):
        sys.exit("study_report: the page has no place for %s" % name)
    return marks.sub(lambda m: m.group(1) + "\n" + "\n".join(rows) + "\n\n" + m.group(2), page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("plan", "results", "page", "images"):
        parser.add_argument(name)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    with open(args.plan, encoding="utf-8") as f:
        plan = json.load(f)
    records = read_records(args.results)
    with open(args.page, encoding="utf-8") as f:
        page = f.read()
    made = {}
    for name in plan["groups"]:
        arms = [Arm(a, plan, records) for a in plan["arms"] if a["group"] == name]
        page = replaced(page, name, table(plan, name, arms))
        page = replaced(page, name + " settings", settings(arms))
        page = replaced(page, name + " tuning", tuning(arms))
        if plan["groups"][name].get("plot", True):
            page = replaced(page, name + " acceleration", accelerations(plan, name, arms))
        if "drawn_count" in plan["groups"][name]:
            page = replaced(page, name + " drawn", drawn(arms, records))
        if plan["groups"][name].get("plot", True):
            made[os.path.join(args.images, "acceleration-%s.svg" % name)] = drawing(plan, name, arms)
    made[args.page] = page
    wrong = []
    for path, text in made.items():
        before = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                before = f.read()
        if text != before:
            wrong.append(path)
            if not args.check:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
    if args.check and wrong:
        sys.exit("study_report: %s: not what the results make; run it without --check" % ", ".join(wrong))


if __name__ == "__main__":
    main()
