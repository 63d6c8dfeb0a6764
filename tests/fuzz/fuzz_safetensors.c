/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a tensor file: refused with MASKDM_EFORMAT, or everything that the header promises can be read.
 * Each input is tried as it is and with its header's length set to where the last brace is, since few mutations
 * keep the two together.
 */
#include "fuzz.h"
#include "tensor.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <stdlib.h>
#include <string.h>

const char *const mdm_fuzz_words[] = {
    "\"dtype\":", "\"shape\":", "\"data_offsets\":", "\"__metadata__\":", "\"F32\"", "\"F64\"", "\"F16\"", "\"BF16\"",
    "\"BOOL\"", "\"U8\"", "\"U64\"", "\"I64\"", "[0,0]", "[0,4]", "[4,8]", "[]", "{}", "0", "1", "-1", "00",
    "4294967296", "9223372036854775807", "18446744073709551615", "1e9", "\\u0000", "\\ud800", "\"a\":", ",", "}", "{",
    "[", "]", "\"", "\xc3\xa9", "\xff", " ", "null", NULL};

static const struct { const char *header; size_t body; } seeds[] = {
    {"{}", 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4},
    {"{\"__metadata__\":{\"format\":\"pt\",\"maskdm.digest\":\"34c96acdcadb1bbb\"},"
     "\"a\":{\"dtype\":\"U64\",\"shape\":[1,2],\"data_offsets\":[0,16]}}  ", 16},
    {"{\"__metadata__\":{\"maskdm.digest\":\"xxh64:0123456789abcdef\"}}", 0},
    {"{\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"BF16\",\"shape\":[2,1],"
     "\"data_offsets\":[0,4]},\"\\u0063\":{\"dtype\":\"I8\",\"shape\":[0,3],\"data_offsets\":[4,4]}}", 8},
    {"{\"x\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},\"y\":{\"dtype\":\"BOOL\",\"shape\":[3],"
     "\"data_offsets\":[8,11]},\"z\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[11,12]}}", 12},
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    size_t length, size;

    if (i < 0 || (size_t)i >= MDM_LENGTH(seeds))
        return 0;
    length = strlen(seeds[i].header);
    size = 8 + length + seeds[i].body;
    if (size > capacity)
        return 0;
    mdm_store_le(out, 8, length);
    memcpy(out + 8, seeds[i].header, length);
    for (size_t k = 0; k < seeds[i].body; k++)
        out[8 + length + k] = (uint8_t)(k * 37);
    return size;
}

static void judge(const uint8_t *data, size_t size)
{
    struct mdm_tensorfile s;
    int err = mdm_safetensors_open_memory(&s, data, size);

    require(err == MASKDM_OK || err == MASKDM_EFORMAT);
    if (!err) {
        for (int64_t i = 0; i < s.count; i++) {
            require(s.tensor[i].begin == (i ? s.tensor[i - 1].end : 0));
            read_tensor(&s, i);
        }
        err = mdm_safetensors_verify(&s);
        require(err == MASKDM_OK || err == MASKDM_EFORMAT || err == MASKDM_EVERSION);
        require(s.data_at + (s.count ? s.tensor[s.count - 1].end : 0) == size);
        mdm_tensorfile_close(&s);
    }
    require(mdm_alloc_live() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t end = size;
    uint8_t *repaired;

    judge(data, size);
    while (end > 8 && data[end - 1] != '}')
        end--;
    if (end <= 8)
        return 0;
    repaired = malloc(size);
    require(repaired != NULL);
    memcpy(repaired, data, size);
    mdm_store_le(repaired, 8, end - 8);
    judge(repaired, size);
    free(repaired);
    return 0;
}
