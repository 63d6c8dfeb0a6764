# SPDX-License-Identifier: BSD-2-Clause
"""Close a test run with one line over all of its logs: count.py STATUS testlog.json..."""
import json
import os
import sys

count = {"OK": 0, "FAIL": 0, "SKIP": 0}
names = {"EXPECTEDFAIL": "OK", "SKIP": "SKIP", "OK": "OK"}
for path in filter(os.path.exists, sys.argv[2:]):
    with open(path) as log:
        for line in log:
            count[names.get(json.loads(line)["result"], "FAIL")] += 1
print("%d passed, %d failed, %d skipped" % (count["OK"], count["FAIL"], count["SKIP"]))
sys.exit(int(sys.argv[1]) or int(count["FAIL"] > 0) or int(count["OK"] == 0))
