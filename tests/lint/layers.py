# SPDX-License-Identifier: BSD-2-Clause
"""Includes point down: layers.py SRC. A file sees headers of its own layer and of lower ones; the program and the
api's callers see the public headers only; only os meets the operating system's files and only tests assert."""
import os
import re
import sys

LAYERS = ["base", "text", "os", "option", "comm", "tensor", "tensorfile", "image", "backend", "graph", "ops", "mask", "diffusion",
          "model", "data", "train", "sample", "metric", "run", "api"]
FORBIDDEN = {  # header: the layers, or files, that may include it; jpeglib.h wants FILE declared
    "stdio.h": {"base/format.c", "backend/cuda/cuda.cu", "text", "os", "cli", "image/jpeg.c"}, "fcntl.h": {"os"},
    "unistd.h": {"base/maker.c", "comm/mpi/whereabouts.c", "os", "backend", "cli"}, "dirent.h": {"os"},
    "sys/stat.h": {"comm/mpi/whereabouts.c", "os"}, "assert.h": set(), "locale.h": {"base/format.c"}, "signal.h": {"comm/mpi/watch.c", "comm/mpi/whereabouts.c", "os", "cli"},
    "cblas.h": {"backend"}, "png.h": {"image"}, "zlib.h": {"tensorfile"}, "jpeglib.h": {"image"}, "webp/decode.h": {"image"}, "lmdb.h": {"data"}, "yaml.h": {"text"}, "pthread.h": {"comm/mpi/watch.h", "os", "backend", "data"},
    "dlfcn.h": {"os", "backend"}, "mpi.h": {"comm/mpi/watch.h", "comm/mpi/whereabouts.c"}, "sys/mman.h": {"base/alloc.c", "os"}, "sys/resource.h": {"os"},
}
CALLS = [  # calls that have one place: pattern, the layers that may, what to use
    (r"\b(?:fopen|fread|fwrite|open|creat|rename|unlink|mkdir|opendir)\s*\(", {"os", "cli"}, "os/file.h"),
    (r"\b(?:malloc|calloc|realloc|free|strdup|aligned_alloc|posix_memalign)\s*\(", {"cli"}, "base/alloc.h"),
    (r"\b(?:strtod|strtof|strtol|strtoll|strtoul|strtoull|atoi|atof|sscanf)\s*\(", {"cli"}, "text/number.h"),
    (r"\b(?:printf|fprintf|puts|putchar|perror|abort|exit|_exit|setlocale|setenv|signal|sigaction)\s*\(", {"cli"},
     "nothing: the library does not"),
    (r"<<<", set(), "mdm_cuda_launch()"),
]
ALLOWED = {"base/alloc.c"}  # the allocator itself


def strip(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', lambda m: m.group() if "/" in m.group() and ".h" in m.group() else '""', text)


def check(root):
    bad = []
    for folder, _, files in sorted(os.walk(root)):
        rel = os.path.relpath(folder, root)
        layer = rel.split(os.sep)[0]
        for name in sorted(files):
            if not name.endswith((".c", ".h", ".cu", ".cuh")):
                continue
            path = os.path.join(rel, name)
            for number, line in enumerate(strip(open(os.path.join(folder, name)).read()).split("\n"), 1):
                where = "src/%s:%d: " % (path, number)
                m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if m and m.group(1) != "config.h":
                    other = m.group(1).split("/")[0]
                    if layer == "cli":
                        if other != "cli":
                            bad.append(where + "the program includes the private header " + m.group(1))
                    elif other not in LAYERS:
                        bad.append(where + "not a layer: " + m.group(1))
                    elif LAYERS.index(other) > LAYERS.index(layer):
                        bad.append(where + "%s is above %s: %s" % (other, layer, m.group(1)))
                m = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
                if m and not {layer, path} & FORBIDDEN.get(m.group(1), {layer}):
                    bad.append(where + "%s does not include <%s>" % (layer, m.group(1)))
                if path in ALLOWED or line.lstrip().startswith("#"):
                    continue
                for pattern, layers, instead in CALLS:
                    m = re.search(r"(?<![\w.>])" + pattern[2:] if pattern.startswith(r"\b") else pattern, line)
                    if m and layer not in layers:
                        bad.append(where + "%s has one place: %s" % (m.group().strip(" ("), instead))
    return bad


if __name__ == "__main__":
    found = check(sys.argv[1])
    print("\n".join(found) or "every include points down")
    sys.exit(bool(found))
