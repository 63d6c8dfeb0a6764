# SPDX-License-Identifier: BSD-2-Clause
"""What do masks, routing and the rest buy? The arms of a plan, trained at equal FLOPs, every run on record.

    study.py MASKDM PLAN RESULTS FOLDER --data NAME=TRAIN,HELD_OUT[,REFERENCE] ... [--arms A,B] [--budgets X,Y] [--jobs N]
             [--minutes N]

PLAN says what is compared (acceleration.json). RESULTS gets a line of JSON for each finished run, and what has its line
there is not run again: a study goes on where it was stopped, on another day too. FOLDER takes the runs; one that was
cut off (--minutes, a signal) is resumed. For each arm the learning rate and the decay of the second moment are chosen
at a share of the budget, by the held-out error, on a seed of their own; then each seed is run at each budget, in the
order of the plan. An arm that goes on `from` another takes that one's averaged weights, of the same seed where that is
reported; `tune` makes it a consistency model. What is `drawn` is compared with REFERENCE, in features of fixed random
weights. study_report.py makes tables and plots of RESULTS.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time


class Stop(Exception):
    """No time is left for another run."""


def read_records(path):
    """Results by key."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        return {r["key"]: r for r in map(json.loads, f)}


class Program:
    """maskdm, until time is up: a run that is under way then saves what it has."""

    def __init__(self, path, threads, minutes):
        self.path, self.threads, self.until = path, threads, time.monotonic() + 60 * minutes
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    def stop(self):
        self.until = 0

    def run(self, *words):
        if time.monotonic() > self.until:
            raise Stop
        command = [self.path] + [str(w) for w in words] + ["--threads", str(self.threads)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while True:
            try:
                out, said = child.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() > self.until:
                    child.terminate()
        if child.returncode and time.monotonic() > self.until:
            raise Stop
        if child.returncode:
            raise RuntimeError("%s\n%s" % (" ".join(command), said[-2000:]))
        return out


class Study:
    def __init__(self, plan, program, results, folder, data):
        self.plan, self.program, self.results, self.folder, self.data = plan, program, results, folder, data
        self.records, self.costs = read_records(results), {}
        self.arms = {a["name"]: a for a in plan["arms"]}
        self.writing, self.choosing = threading.Lock(), {name: threading.RLock() for name in self.arms}
        os.makedirs(folder, exist_ok=True)

    def stages(self, arm, steps, lr, beta2):
        """What `maskdm train --stages` reads: what is said for all, and the arm's stages in so many steps each.

        Of a stage of the plan, `share` (of the FLOPs), `lr_times`, `warmup_share` and `decay_share` (of its steps) are ours.
        """
        group, common = self.plan["groups"][arm["group"]], self.plan["common"]
        network = {} if "from" in arm else self.plan["networks"][arm["network"]]
        said = {**common, **network, **group["options"], **arm.get("options", {})}
        said.update(lr=lr, beta2=beta2, stages=[])
        for stage, count in zip(arm["stages"], steps):
            made = {k: v for k, v in stage.items()
                    if k not in ("share", "lr_times", "warmup_share", "decay_share")}
            made.update(steps=count, warmup_steps=int(count * stage.get("warmup_share", 0)))
            if "lr_times" in stage:
                made["lr"] = lr * stage["lr_times"]
            if "decay_share" in stage:
                made.update(lr_schedule="wsd", decay_steps=max(1, round(count * stage["decay_share"])))
            said["stages"].append(made)
        return said

    def train(self, folder, arm, stages, images, *more):
        """The lines of a run's log. One that was cut off is resumed."""
        if glob.glob(os.path.join(folder, "checkpoint-*.safetensors")):
            more += ("--resume",)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        path, command = folder + ".json", ("train", "--stages")
        if arm.get("tune"):
            (stage,), command = stages.pop("stages"), ("tune", "--config")
            stages.update(stage)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(stages, f, indent=1)
        self.program.run(*command, path, "--data", images, "--out", folder, *more)
        with open(os.path.join(folder, "log.jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def cost(self, arm):
        """FLOPs of a step of each stage: the library's own account of a run of one step each."""
        if arm["name"] not in self.costs:
            folder = os.path.join(self.folder, "cost-" + arm["name"])
            shutil.rmtree(folder, ignore_errors=True)
            stages = self.stages(arm, [1] * len(arm["stages"]), 1e-4, 0.99)
            images = self.data[self.plan["groups"][arm["group"]]["data"]][0]
            log = self.train(folder, arm, stages, images, "--log-every", 1, *self.start(arm, self.plan["seeds"][0]))
            sums = [line["flops"] for line in log if "flops" in line]
            shutil.rmtree(folder)
            self.costs[arm["name"]] = [b - a for a, b in zip([0] + sums, sums)]
        return self.costs[arm["name"]]

    def model(self, key):
        return os.path.join(self.folder, key.replace(": ", "-").replace(", ", "-").replace(" ", "-"), "model.safetensors")

    def start(self, arm, seed):
        """The flags for what an arm begins with."""
        if "from" not in arm:
            return ()
        before, budget = self.arms[arm["from"]["arm"]], arm["from"]["budget"]
        with self.choosing[before["name"]]:
            seeds = before.get("seeds", self.plan["seeds"])
            chosen = (*self.choose(before, budget), seed if seed in seeds else seeds[0])
            key = self.run(before, budget, *chosen)["key"]
            if not os.path.exists(self.model(key)):  # FOLDER is not that of an earlier day
                del self.records[key]
                self.run(before, budget, *chosen)
        return "--init", self.model(key), "--init-weights", "ema"

    def run(self, arm, budget, lr, beta2, seed):
        """The record of one run: its stages, then what its model is worth."""
        key = "%s: %g PFLOP, lr %g, beta2 %g, seed %d" % (arm["name"], budget, lr, beta2, seed)
        if key in self.records:
            return self.records[key]
        start = self.start(arm, seed)
        steps = [max(1, round(budget * 1e15 * stage["share"] / cost))
                 for stage, cost in zip(arm["stages"], self.cost(arm))]
        folder = os.path.dirname(self.model(key))
        group = self.plan["groups"][arm["group"]]
        images, held_out = self.data[group["data"]][:2]
        log = self.train(folder, arm, self.stages(arm, steps, lr, beta2), images, "--seed", seed, *start)
        last = [line for line in log if "flops" in line][-1]
        record = {"key": key, "arm": arm["name"], "group": arm["group"], "budget": budget, "lr": lr, "beta2": beta2,
                  "seed": seed, "steps": steps}
        record.update((k, last[k]) for k in ("flops", "seconds", "images", "tokens"))
        count = self.plan["tuning" if seed == self.plan["tuning"]["seed"] else "groups"]
        count = count["held_out_count"] if "held_out_count" in count else group["held_out_count"]
        record.update(self.judge(self.model(key), held_out, count))
        self.keep(record)
        for path in glob.glob(os.path.join(folder, "checkpoint-*")):
            os.remove(path)
        print("%s: x0 error %.5f, %.0f s" % (key, record["ema"]["mean"], last["seconds"]), flush=True)
        return record

    def keep(self, record):
        with self.writing:
            self.records[record["key"]] = record
            with open(self.results, "a", encoding="utf-8") as f:
                f.write(json.dumps(record) + "\n")

    def judge(self, model, held_out, count):
        """Error of x0 on whole held-out images, by level of noise, of both sets of weights."""
        said = json.loads(self.program.run("evaluate", "--model", model, "--data", held_out, "--val-count", count,
                                           "--json"))["held_out"]
        return {name: {"mean": said[name]["x0_error"], "levels": said[name]["x0_error_by_level"]}
                for name in ("ema", "online")}

    def drawn(self, arm, record, sampler, steps):
        """How far what a run's model draws is from the reference."""
        key = "%s: drawn by %s in %d" % (record["key"], sampler, steps)
        if key not in self.records:
            group = self.plan["groups"][arm["group"]]
            said = json.loads(self.program.run(
                "evaluate", "--model", self.model(record["key"]), "--reference", self.data[group["data"]][2], "--count",
                group["drawn_count"], "--sampler", sampler, "--steps", steps, "--json"))
            self.keep({"key": key, "of": record["key"], "sampler": sampler, "drawing_steps": steps,
                       "count": group["drawn_count"], "distance": said["random_feature_distance"],
                       **{name: said[name] for name in ("precision", "recall") if name in said}})
            print("%s: distance %.4f" % (key, self.records[key]["distance"]), flush=True)
        return self.records[key]["distance"]

    def choose(self, arm, budget):
        """Learning rate, then decay of the second moment, of least error on the seed that is not reported.

        They are chosen at a share of the largest of the group's `tuned` budgets that is no larger than this one. Where the
        best rate is the first or the last that was tried, the next one beyond is tried as well. What is tuned for few
        evaluations no longer says means: there the distance of what it draws decides.
        """
        tuning, rates, tuned = self.plan["tuning"], sorted(arm["lr"]), self.plan["groups"][arm["group"]]["tuned"]
        budget = tuning["share"] * max([b for b in tuned if b <= budget] or tuned[:1])

        def error(lr, beta2):
            record = self.run(arm, budget, lr, beta2, tuning["seed"])
            found = self.drawn(arm, record, *arm["drawn"][0]) if arm.get("tune") else record["ema"]["mean"]
            return found if found == found else float("inf")

        decays = arm.get("beta2", tuning["beta2"])
        if len(rates) == len(decays) == 1 and not arm.get("beyond", tuning["beyond"]):
            return rates[0], decays[0]
        first = decays[0]
        while True:
            best = min(rates, key=lambda lr: error(lr, first))
            beyond = float("%.3g" % (best / 2 if best == rates[0] else best * 2))
            if best not in (rates[0], rates[-1]) or len(rates) >= len(arm["lr"]) + arm.get("beyond", tuning["beyond"]):
                break
            rates = sorted(rates + [beyond])
        return best, min(decays, key=lambda beta2: error(best, beta2))

    def unit(self, arm, budget):
        """An arm at a budget, every seed."""
        with self.choosing[arm["name"]]:
            lr, beta2 = self.choose(arm, budget)
        for seed in arm.get("seeds", self.plan["seeds"]):
            record = self.run(arm, budget, lr, beta2, seed)
            for way in arm.get("drawn", ()) if budget in arm.get("drawn_budgets", [budget]) else ():
                self.drawn(arm, record, *way)

    def all(self, arms, budgets, jobs):
        """All that is wanted, in this order or the plan's; whether nothing is left."""
        units = [(arm, budget) for arm in map(self.arms.get, arms or self.arms)
                 for budget in arm.get("budgets", self.plan["groups"][arm["group"]]["budgets"])
                 if not budgets or budget in budgets]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            running = [pool.submit(self.unit, *u) for u in units]
            finished = True
            for future in concurrent.futures.as_completed(running):
                try:
                    future.result()
                except Stop:
                    finished = False
                except Exception:
                    self.program.stop()
                    raise
        return finished


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("maskdm", "plan", "results", "folder"):
        parser.add_argument(name)
    parser.add_argument("--data", action="append", required=True, help="images of a data set of the plan")
    parser.add_argument("--arms", help="these alone")
    parser.add_argument("--budgets", help="these alone, in PFLOP")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so many")
    parser.add_argument("--threads", type=int, default=1, help="threads of a run")
    args = parser.parse_args()
    with open(args.plan, encoding="utf-8") as f:
        plan = json.load(f)
    data = {name: paths.split(",") for name, paths in (d.split("=", 1) for d in args.data)}
    study = Study(plan, Program(args.maskdm, args.threads, args.minutes), args.results, args.folder, data)
    try:
        finished = study.all(args.arms and args.arms.split(","),
                             args.budgets and [float(b) for b in args.budgets.split(",")], args.jobs)
    except RuntimeError as why:
        sys.exit("study: %s" % why)
    print("study: all runs are done" if finished else "study: stopped; the same command goes on from here")


if __name__ == "__main__":
    main()
