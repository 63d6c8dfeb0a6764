/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a run's log that is cut back: what stays are whole lines of steps that are wanted, in their order, and
 * cutting again takes no more.
 */
#include "fuzz.h"
#include "require.h"
#include "text.h"

#include "base/alloc.h"
#include "run/run.h"

#include <string.h>

const char *const mdm_fuzz_words[] = {"{\"step\":",
                                      "\"step\"",
                                      ":7",
                                      "}\n",
                                      "\n",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      ",",
                                      "null",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "1e3",
                                      "-1",
                                      "\\u0073tep",
                                      "\xff",
                                      "{\"loss\":{\"step\":3},\"step\":4}\n",
                                      NULL};

static const char *const seeds[] = {
    "{\"step\":1,\"loss\":0.5,\"lr\":1e-4,\"grad_norm\":null,\"images_per_second\":3.5,\"skipped\":0}\n"
    "{\"step\":2,\"loss\":0.25,\"held_out_loss\":1,\"held_out_buckets\":[0.5,null,2]}\n{\"step\":30}\n{\"step\":4",
    "{\"loss\":1}\n\n{\"step\":5}\n{\"step\":\"6\"}\n{\"step\":7}{}\n[{\"step\":1}]\n",
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    return seed_text(seeds, sizeof seeds / sizeof *seeds, i, out, capacity);
}

/* Whether each line of `part` stands in `whole`, in the same order. */
static int is_selection(const char *part, size_t n, const char *whole, size_t m)
{
    const char *end, *found;

    for (; n; part = end, whole = found) {
        size_t line, left;

        end = memchr(part, '\n', n);
        if (!end)
            return 0;
        line = (size_t)(++end - part);
        for (found = whole; m; m = left) {
            const char *next = memchr(found, '\n', m);
            const size_t length = next ? (size_t)(next - found) + 1 : m;

            left = m - length;
            if (length == line && !memcmp(found, part, line))
                break;
            found += length;
        }
        if (!m)
            return 0;
        found += line;
        m -= line;
        n -= line;
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t steps[] = {0, 2, 7, INT64_MAX};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char *text = malloc(size ? size : 1);
        size_t kept;

        require(text != NULL);
        memcpy(text, size ? data : (const uint8_t *)"", size);
        kept = mdm_run_log_keep(text, size, steps[i]);
        require(kept <= size && is_selection(text, kept, (const char *)data, size));
        require(mdm_run_log_keep(text, kept, steps[i]) == kept);
        free(text);
        require(mdm_alloc_live() == 0);
    }
    return 0;
}
