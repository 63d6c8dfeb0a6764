/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a WebP file: as they are, and with the sizes of the container put right, which few mutations
 * keep.
 */
#include "fuzz.h"
#include "picture.h"

#include "base/endian.h"

const char *const mdm_fuzz_words[] = {"RIFF", "WEBP", "VP8 ",     "VP8L", "VP8X", "ALPH", "ANIM", "ANMF",
                                      "EXIF", "ICCP", "\x9d\x01*", "\x2f", "II*",  "MM",   "\xff", "\x01",
                                      NULL};

/* As cwebp writes them: 9 x 7 pixels. */
static const uint8_t lossy[] = {
    82, 73, 70, 70, 60, 0, 0, 0, 87, 69, 66, 80, 86, 80, 56, 32, 48, 0, 0, 0, 48, 2, 0, 157, 1, 42, 9, 0, 7, 0, 2,
    192, 76, 37, 144, 2, 116, 186, 0, 2, 119, 200, 114, 68, 48, 0, 0, 254, 243, 80, 44, 142, 201, 123, 195, 159,
    226, 195, 66, 115, 63, 93, 226, 210, 82, 0, 0, 0};
static const uint8_t alpha[] = {
    82, 73, 70, 70, 108, 0, 0, 0, 87, 69, 66, 80, 86, 80, 56, 88, 10, 0, 0, 0, 16, 0, 0, 0, 8, 0, 0, 6, 0, 0, 65,
    76, 80, 72, 22, 0, 0, 0, 5, 23, 240, 2, 183, 136, 8, 130, 64, 210, 134, 117, 220, 222, 63, 206, 35, 68, 244,
    63, 22, 30, 86, 80, 56, 32, 48, 0, 0, 0, 48, 2, 0, 157, 1, 42, 9, 0, 7, 0, 2, 192, 76, 37, 144, 2, 116, 186,
    0, 2, 119, 200, 114, 68, 48, 0, 0, 254, 243, 80, 44, 142, 201, 123, 195, 159, 226, 195, 66, 115, 63, 93, 226,
    210, 82, 0, 0, 0};
static const uint8_t lossless[] = {
    82, 73, 70, 70, 54, 0, 0, 0, 87, 69, 66, 80, 86, 80, 56, 76, 41, 0, 0, 0, 47, 8, 128, 1, 16, 205, 100, 68,
    255, 3, 106, 218, 54, 130, 166, 190, 72, 202, 159, 227, 77, 71, 96, 176, 7, 69, 77, 219, 6, 204, 149, 46, 198,
    101, 63, 1, 251, 101, 39, 224, 9, 0};

static const struct { const uint8_t *bytes; size_t size; } seeds[] = {
    {lossy, sizeof lossy},
    {alpha, sizeof alpha},
    {lossless, sizeof lossless},
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    if (i < 0 || i >= (int)MDM_LENGTH(seeds) || seeds[i].size > capacity)
        return 0;
    memcpy(out, seeds[i].bytes, seeds[i].size);
    return seeds[i].size;
}

enum { RIFF = 12, CHUNK = 8 };

/* The container is as long as the file, and so is its last chunk. */
static void repair(uint8_t *p, size_t size)
{
    if (size < RIFF)
        return;
    memcpy(p, "RIFF", 4);
    memcpy(p + 8, "WEBP", 4);
    mdm_store_le(p + 4, 4, size - CHUNK);
    for (size_t at = RIFF, n; size - at >= CHUNK; at += CHUNK + n) {
        n = (size_t)mdm_load_le(p + at + 4, 4);
        n += n & 1;
        if (n > size - at - CHUNK || size - at - CHUNK - n < CHUNK) {
            mdm_store_le(p + at + 4, 4, size - at - CHUNK);
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    require(copy != NULL);
    memcpy(copy, data, size);
    try_picture(data, size);
    repair(copy, size);
    try_picture(copy, size);
    free(copy);
    return 0;
}
