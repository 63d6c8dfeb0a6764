# SPDX-License-Identifier: BSD-2-Clause
"""The public headers as JSON, for those who write bindings: api.py INCLUDE OUT.

What a header declares stands here in its order, with its comment: constants, handles (pointers to what only the library
knows), enumerations, structs, types of callbacks, functions. A type is written as in C, with one space between words and
before a star. Whatever looks like a declaration and is none that this program knows fails the build."""
import json
import os
import re
import sys

# Enumerations cross the border as int: what an argument or a member of this name is.
ENUMS = {"which": "maskdm_weights", "guide_which": "maskdm_weights", "sample_type": "maskdm_sample_type", "spelling": "maskdm_option_spelling",
         "status": "maskdm_status", "what": "maskdm_transferred", "level": "maskdm_log_level"}

DECLARATION = re.compile(r"""
    (?P<comment>/\*.*?\*/)
  | ^\#\s*define\s+(?P<constant>MASKDM_[A-Z]+(?:_[A-Z]+)*)\s+(?P<number>\d+)$
  | ^typedef\ struct\ (?P<handle>maskdm_\w+)\ (?P=handle);
  | ^enum\ (?P<enum>maskdm_\w+)\ \{(?P<values>.*?)\};
  | ^struct\ (?P<struct>maskdm_\w+)\ \{(?P<members>.*?)\};
  | ^typedef\ (?P<answer>[^;{]*?)\(\*(?P<callback>maskdm_\w+)\)\((?P<taken>[^;]*?)\);
  | ^MASKDM_API\s+(?P<check>MASKDM_MUST_CHECK\s+)?(?P<result>[^;{]*?)\b(?P<function>maskdm_\w+)\s*\((?P<arguments>[^;]*?)\);
  | ^(?P<unknown>(?:typedef|enum|struct|MASKDM_API)\b[^\n]*)
  | (?P<gap>\n[ \t]*\n)
""", re.S | re.M | re.X)


def plain(comment):
    lines = re.sub(r"^/\*+|\*+/$", "", comment).split("\n")
    return "\n".join(re.sub(r"^\s*\*? {0,2}", "", line).rstrip() for line in lines).strip()


def named(text):
    """A parameter or member: its type and its name."""
    kind, name = re.match(r"^(.*?)(\w+)$", " ".join(text.split())).groups()
    one = {"name": name, "type": kind.strip()}
    if name in ENUMS and one["type"] == "int":
        one["enum"] = ENUMS[name]
    return one


def parameters(text):
    return [named(p) for p in text.split(",") if p.strip() != "void"]


def values(text):
    for name, number, doc in re.findall(r"(\w+)\s*=\s*(-?\d+),?[ \t]*(/\*.*?\*/)?", text, re.S):
        yield {"name": name, "value": int(number), "doc": plain(doc)}


def members(text):
    for declared, doc in re.findall(r"([^;/]+);[ \t]*(/\*.*?\*/)?", text, re.S):
        kind, names = re.match(r"(.*?)(\w+(?:, \w+)*)$", " ".join(declared.split())).groups()
        for name in names.split(", "):
            yield dict(named(kind + name), doc=plain(doc))


def read(folder):
    api = {"library": "maskdm", "headers": [], "constants": [], "handles": [], "enums": [], "structs": [], "callbacks": [],
           "functions": []}
    for header in sorted(n for n in os.listdir(folder) if n.endswith(".h")):
        text, doc = open(os.path.join(folder, header)).read(), ""
        about = plain(re.match(r"/\*.*?\*/", text, re.S).group())
        api["headers"].append({"name": header, "doc": about.split("\n\n", 1)[-1] if "\n\n" in about else ""})
        for m in DECLARATION.finditer(text):
            found = {"header": header, "doc": doc}
            if m["unknown"]:
                sys.exit("%s: %s is no declaration that api.py knows" % (header, m["unknown"]))
            if m["comment"]:
                doc = plain(m["comment"]) if m["comment"].startswith("/**") else ""
            elif m["gap"]:
                doc = ""
            elif m["constant"]:
                api["constants"].append(dict(found, name=m["constant"], value=int(m["number"])))
            elif m["handle"]:
                api["handles"].append(dict(found, name=m["handle"]))
            elif m["enum"]:
                api["enums"].append(dict(found, name=m["enum"], values=list(values(m["values"]))))
            elif m["struct"]:
                api["structs"].append(dict(found, name=m["struct"], members=list(members(m["members"]))))
            elif m["callback"]:
                api["callbacks"].append(dict(found, name=m["callback"], result=" ".join(m["answer"].split()),
                                             parameters=parameters(m["taken"])))
            elif m["function"]:
                api["functions"].append(dict(found, name=m["function"], result=" ".join(m["result"].split()),
                                             must_check=bool(m["check"]), parameters=parameters(m["arguments"])))
    number = {c["name"]: c["value"] for c in api["constants"]}
    api["version"] = "%d.%d.%d" % tuple(number["MASKDM_VERSION_" + part] for part in ("MAJOR", "MINOR", "PATCH"))
    api["abi"] = number["MASKDM_ABI"]
    return api


if __name__ == "__main__":
    with open(sys.argv[2], "w") as out:
        json.dump(read(os.path.join(sys.argv[1], "maskdm")), out, indent=1)
        out.write("\n")
