/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a snapshot of an average, as a whole and as the JSON of a header that is put right otherwise: refused
 * with a line, or a profile of which a sum can be made.
 */
#include "fuzz.h"
#include "require.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"
#include "train/average.h"

#include <string.h>

const char *const mdm_fuzz_words[] = {"\"maskdm.average.std\":",
                                      "\"maskdm.average.updates\":",
                                      "\"maskdm.step\":",
                                      "\"__metadata__\":",
                                      "\"0.05\"",
                                      "\"0.28\"",
                                      "\"0.29\"",
                                      "\"nan\"",
                                      "\"inf\"",
                                      "\"-1\"",
                                      "\"1e300\"",
                                      "\"1e-300\"",
                                      "\"4.5\"",
                                      "\"0\"",
                                      "\"\"",
                                      "{",
                                      "}",
                                      ",",
                                      NULL};

static const char header[] = "{\"__metadata__\":{\"maskdm.average.std\":\"0.05\",\"maskdm.average.updates\":\"40\","
                             "\"maskdm.step\":\"44\"}}";

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    const size_t n = sizeof header - 1;

    if (i < 0 || i > 1 || n + 8 > capacity)
        return 0;
    mdm_store_le(out, 8, n);
    memcpy(out + (i ? 0 : 8), header, n); /* seed 1 is the JSON alone */
    return i ? n : n + 8;
}

static void judge(const uint8_t *data, size_t size)
{
    struct mdm_tensorfile s;
    struct mdm_snapshot read;
    double factor, off;

    if (mdm_safetensors_open_memory(&s, data, size) == MASKDM_OK) {
        const int status = mdm_snapshot_read(&read, &s);

        require(status == MASKDM_OK || status == MASKDM_EFORMAT);
        if (status == MASKDM_OK) {
            require(read.step > 0 && mdm_average_solve(&read.profile, 1, read.profile, &factor, &off) == MASKDM_OK);
            require(factor == 1 && off >= 0 && off < 1e-3);
        }
        mdm_tensorfile_close(&s);
    }
    require(mdm_alloc_live() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *whole = malloc(size + 8);

    judge(data, size);
    require(whole != NULL);
    mdm_store_le(whole, 8, size);
    memcpy(whole + 8, data, size);
    judge(whole, size + 8);
    free(whole);
    return 0;
}
