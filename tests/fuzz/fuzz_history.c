/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a run's log that is looked at: no more lines come of it than there are, their steps rise, and what
 * stands behind the last whole line changes nothing.
 */
#include "fuzz.h"
#include "require.h"
#include "text.h"

#include "base/alloc.h"
#include "run/history.h"

#include <math.h>
#include <string.h>

const char *const mdm_fuzz_words[] = {"{\"step\":",
                                      "\"images\":",
                                      "\"note\":\"x\"",
                                      "\"loss\":",
                                      ":7",
                                      "}\n",
                                      "\n",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      ",",
                                      "null",
                                      "1e999",
                                      "-1",
                                      "\"mean_loss\":",
                                      "\"elapsed\":",
                                      "\"seconds\":",
                                      "\xff",
                                      NULL};

static const char *const seeds[] = {
    "{\"step\":1,\"images\":8,\"loss\":0.5,\"lr\":1e-4,\"grad_norm\":null,\"skipped\":0,\"elapsed\":0.5}\n"
    "{\"step\":2,\"images\":16,\"mean_loss\":0.25,\"held_out_loss\":1,\"held_out_buckets\":[0.5,null,2]}\n{\"step\":"
    "3",
    "{\"step\":0,\"note\":\"x\"}\n\n{\"step\":5,\"images\":1}\n{\"step\":3,\"images\":1}\n{\"step\":\"6\"}\n[1]\n",
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    return seed_text(seeds, sizeof seeds / sizeof *seeds, i, out, capacity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mdm_history h = {0}, again = {0};
    char *text = malloc(size ? size : 1);
    size_t whole = 0, lines = 0;

    require(text != NULL);
    memcpy(text, size ? data : (const uint8_t *)"", size);
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\n') {
            lines++;
            whole = i + 1;
        }
    require(mdm_history_parse(&h, text, size) == MASKDM_OK);
    require(h.count + h.unread <= (int64_t)lines);
    for (int64_t i = 1; i < h.count; i++)
        require(h.line[i][MDM_COLUMN_STEP] > h.line[i - 1][MDM_COLUMN_STEP]);
    require(mdm_history_parse(&again, text, whole) == MASKDM_OK);
    require(again.count == h.count && again.unread == h.unread);
    mdm_history_free(&h);
    mdm_history_free(&again);
    free(text);
    require(mdm_alloc_live() == 0);
    return 0;
}
