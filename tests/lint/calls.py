# SPDX-License-Identifier: BSD-2-Clause
"""Calls point down, and never in a circle: calls.py BUILD SRC NM. Which object refers to which is read from the objects as
they were built: a layer's refer to its own layer and to lower ones, the program's to what include/ declares, and no two
files of a layer refer to each other, be it through others. layers.py holds the same of includes."""
import collections
import json
import os
import re
import subprocess
import sys

from layers import LAYERS

build, src, nm = sys.argv[1:4]


def objects():
    """Source below SRC and object of every compilation of the library and the program; kernels are compiled once for each
    type and instruction set, and by tests once more, which does not count."""
    for entry in json.load(open(os.path.join(build, "compile_commands.json"))):
        source = os.path.relpath(os.path.join(entry["directory"], entry["file"]), src)
        path = os.path.join(entry["directory"], entry["output"])
        if "-flto" in entry["command"]:
            print("objects of link-time optimization have no symbols: skipped")
            sys.exit(77)
        if not source.startswith("..") and not entry["output"].startswith("tests/"):
            yield source, path


def read():
    """Files by the symbol that they define, and symbols by the file that wants them."""
    defined, wanted = collections.defaultdict(set), collections.defaultdict(set)
    source = {path: source for source, path in objects()}
    for line in subprocess.run([nm, "-P", "-A", *source], check=True, capture_output=True, text=True).stdout.splitlines():
        path, rest = line.split(": ", 1)
        name, kind = rest.split()[:2]
        if kind in "Uw":
            wanted[source[path]].add(name)
        elif kind.isupper():
            defined[name].add(source[path])
    return defined, wanted


def edges(defined, wanted):
    """File to file, with one symbol for it."""
    found = collections.defaultdict(dict)
    for source, names in wanted.items():
        for name in sorted(names):
            for other in defined.get(name, ()):
                if other != source:
                    found[source].setdefault(other, name)
    return found


def layer(path):
    return path.split(os.sep)[0]


def circles(graph):
    """The shortest way from each file back to itself within its layer; one for each set of files."""
    seen = set()
    for start in sorted(graph):
        way, queue = {start: None}, collections.deque([start])
        while queue:
            at = queue.popleft()
            for other in sorted(graph.get(at, ())):
                if layer(other) != layer(start):
                    continue
                if other == start:
                    path = [start]
                    while at is not None:
                        path.append(at)
                        at = way[at]
                    path.reverse()
                    if frozenset(path) not in seen:
                        seen.add(frozenset(path))
                        yield path
                    queue.clear()
                    break
                if other not in way:
                    way[other] = at
                    queue.append(other)


def check():
    public = set()
    for folder, _, names in os.walk(os.path.join(src, "..", "include")):
        for name in names:
            public |= set(re.findall(r"\bmaskdm_\w+", open(os.path.join(folder, name)).read()))
    graph = edges(*read())
    if not any(layer(s) == "api" for s in graph):
        return ["no object of the library was found below " + build]
    bad = []
    for source in sorted(graph):
        for other, name in sorted(graph[source].items()):
            if layer(source) == "cli":
                if layer(other) != "cli" and name not in public:
                    bad.append("%s: the program refers to %s of %s" % (source, name, other))
            elif layer(other) == "cli" or LAYERS.index(layer(other)) > LAYERS.index(layer(source)):
                bad.append("%s: %s is above %s: %s of %s" % (source, layer(other), layer(source), name, other))
    for path in circles(graph):
        bad.append("a circle: " + "".join("%s (%s) -> " % (a, graph[a][b]) for a, b in zip(path, path[1:])) + path[0])
    return bad


found = check()
print("\n".join(found) or "every call points down")
sys.exit(bool(found))
