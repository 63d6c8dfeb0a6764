/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as the list of a run's data: refused as no list, or compared with each seed and with itself, from which
 * nothing differs.
 */
#include "fuzz.h"

#include "base/alloc.h"
#include "data/manifest.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

static const char list[] = "{\"format\": 1, \"identity\": \"2 images of 4 x 4 x 3, 0123456789abcdef, without 1, "
                           "0123456789abcdef\",\n"
                           "\"labels\": [\"a\", \"b\\uefe9\"],\n"
                           "\"files\": [\n[\"0.png\", 10, null, \"0000000000000abc\"],\n"
                           "[\"a/\\\"1\\\".png\", 20, 0, \"0000000000000abc\", false],\n"
                           "[\"b\\uefe9/2.png\", 30, 1, \"0000000000000abc\"]\n]}\n";
static const char labels[] = "{\"format\": 1, \"identity\": \"3 images of 4 x 4 x 3, 0123456789abcdef\",\n"
                             "\"image_labels\": [0,null,2]}\n";

const char *const mdm_fuzz_words[] = {"\"format\"", "\"identity\"", "\"labels\"", "\"files\"", "\"image_labels\"",
                                      "[]", "{}", "null", "false", "\\uef80", "\\u0000", "9223372036854775807",
                                      NULL};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    const char *seed = i == 0 ? list : i == 1 ? labels : "";
    size_t n = strlen(seed);

    if (n > capacity)
        return 0;
    memcpy(out, seed, n);
    return n;
}

static void compare(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    struct mdm_text out = {0};
    long live = mdm_alloc_live();
    int status = mdm_manifest_difference(&out, a, a_bytes, b, b_bytes);

    if (status != MASKDM_OK && status != MASKDM_EFORMAT && status != MASKDM_EVERSION)
        abort();
    if (out.length && (a_bytes == b_bytes && !memcmp(a, b, a_bytes)))
        abort();
    mdm_text_free(&out);
    if (mdm_alloc_live() != live)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    compare(text, size, list, sizeof list - 1);
    compare(list, sizeof list - 1, text, size);
    compare(text, size, labels, sizeof labels - 1);
    compare(text, size, text, size);
    return 0;
}
