/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as an image file: refused with one line, or decoded, converted and fitted. A PNG is tried as it is and
 * with its checksums put right, since few mutations keep them.
 */
#include "fuzz.h"
#include "picture.h"

#include "image/png_text.h"

const char *const mdm_fuzz_words[] = {
    "IHDR", "PLTE", "tRNS", "IDAT", "IEND", "eXIf", "Exif", "II*", "MM", "\x01\x12", "\x12\x01", "\xff\xd8",
    "\xff\xd9", "\xff\xda", "\xff\xc4", "\xff\xc2", "\xff\xdd", "\xff\xe1", "\xff\xee", "\xff", "\x01", "\x7f",
    "tEXt", "iTXt", NULL};

static const uint8_t palette[] = {
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 9, 0, 0, 0, 7, 2, 3, 0, 0, 0, 167,
    245, 143, 243, 0, 0, 0, 12, 80, 76, 84, 69, 160, 135, 124, 32, 135, 82, 160, 30, 36, 32, 30, 36, 169, 102,
    173, 240, 0, 0, 0, 4, 116, 82, 78, 83, 0, 90, 255, 7, 223, 248, 165, 45, 0, 0, 0, 32, 73, 68, 65, 84, 120,
    156, 99, 252, 183, 86, 148, 137, 129, 129, 129, 137, 225, 91, 3, 195, 23, 70, 6, 134, 16, 70, 7, 8, 159,
    129, 1, 0, 93, 29, 4, 202, 48, 213, 170, 143, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130};
static const uint8_t grey_alpha[] = {
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 5, 0, 0, 0, 3, 8, 4, 0, 0, 0, 241,
    63, 13, 115, 0, 0, 0, 25, 73, 68, 65, 84, 120, 156, 99, 100, 248, 207, 195, 0, 129, 44, 66, 12, 188, 80,
    200, 34, 200, 192, 7, 133, 0, 43, 51, 1, 200, 24, 250, 86, 236, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96,
    130};
static const uint8_t grey16[] = {
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 3, 0, 0, 0, 2, 16, 0, 0, 0, 0, 232,
    143, 229, 133, 0, 0, 0, 22, 73, 68, 65, 84, 120, 156, 99, 52, 176, 100, 96, 96, 96, 96, 98, 96, 96, 96,
    96, 96, 0, 0, 5, 70, 0, 109, 108, 41, 126, 82, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130};
static const uint8_t baseline[] = {
    255, 216, 255, 224, 0, 16, 74, 70, 73, 70, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 255, 219, 0, 67, 0, 27, 18, 20,
    23, 20, 17, 27, 23, 22, 23, 30, 28, 27, 32, 40, 66, 43, 40, 37, 37, 40, 81, 58, 61, 48, 66, 96, 85, 101,
    100, 95, 85, 93, 91, 106, 120, 153, 129, 106, 113, 144, 115, 91, 93, 133, 181, 134, 144, 158, 163, 171,
    173, 171, 103, 128, 188, 201, 186, 166, 199, 153, 168, 171, 164, 255, 219, 0, 67, 1, 28, 30, 30, 40, 35,
    40, 78, 43, 43, 78, 164, 110, 93, 110, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164,
    164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164,
    164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 255, 192, 0, 17, 8, 0, 7,
    0, 9, 3, 1, 34, 0, 2, 17, 1, 3, 17, 1, 255, 196, 0, 22, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 2, 4, 255, 196, 0, 30, 16, 0, 2, 1, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 5, 19, 21, 66,
    82, 145, 177, 255, 196, 0, 21, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 255, 196, 0, 25,
    17, 0, 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 3, 18, 33, 255, 218, 0, 12, 3, 1, 0, 2, 17,
    3, 17, 0, 63, 0, 207, 79, 111, 142, 9, 54, 182, 191, 8, 211, 215, 21, 216, 1, 81, 36, 72, 53, 207, 149,
    236, 255, 217};
static const uint8_t progressive[] = {
    255, 216, 255, 224, 0, 16, 74, 70, 73, 70, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 255, 219, 0, 67, 0, 27, 18, 20,
    23, 20, 17, 27, 23, 22, 23, 30, 28, 27, 32, 40, 66, 43, 40, 37, 37, 40, 81, 58, 61, 48, 66, 96, 85, 101,
    100, 95, 85, 93, 91, 106, 120, 153, 129, 106, 113, 144, 115, 91, 93, 133, 181, 134, 144, 158, 163, 171,
    173, 171, 103, 128, 188, 201, 186, 166, 199, 153, 168, 171, 164, 255, 219, 0, 67, 1, 28, 30, 30, 40, 35,
    40, 78, 43, 43, 78, 164, 110, 93, 110, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164,
    164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164,
    164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 164, 255, 194, 0, 17, 8, 0, 7,
    0, 9, 3, 1, 34, 0, 2, 17, 1, 3, 17, 1, 255, 196, 0, 22, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 2, 3, 255, 196, 0, 21, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 255, 218, 0, 12, 3, 1,
    0, 2, 16, 3, 16, 0, 0, 1, 206, 66, 127, 255, 196, 0, 24, 16, 0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 2, 3, 19, 33, 255, 218, 0, 8, 1, 1, 0, 1, 5, 2, 88, 242, 179, 255, 196, 0, 23, 17, 1, 0, 3, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 17, 255, 218, 0, 8, 1, 3, 1, 1, 63, 1, 110, 225, 63, 255, 196, 0,
    21, 17, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 255, 218, 0, 8, 1, 2, 1, 1, 63, 1, 151, 255,
    196, 0, 20, 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 255, 218, 0, 8, 1, 1, 0, 6, 63, 2, 63,
    255, 196, 0, 23, 16, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 113, 17, 255, 218, 0, 8, 1, 1,
    0, 1, 63, 33, 70, 225, 7, 255, 218, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 16, 127, 255, 196, 0, 21, 17, 1, 1,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 49, 255, 218, 0, 8, 1, 3, 1, 1, 63, 16, 164, 127, 255, 196,
    0, 21, 17, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 255, 218, 0, 8, 1, 2, 1, 1, 63, 16, 106,
    95, 255, 196, 0, 26, 16, 0, 2, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 17, 65, 81, 145, 177, 255,
    218, 0, 8, 1, 1, 0, 1, 63, 16, 145, 53, 110, 16, 195, 103, 255, 217};
static const uint8_t interlaced[] = {
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 2, 0, 0, 0, 2, 16, 6, 0, 0, 1, 85,
    33, 225, 241, 0, 0, 0, 28, 73, 68, 65, 84, 120, 156, 99, 96, 96, 100, 98, 102, 97, 101, 99, 103, 192, 96,
    112, 112, 114, 113, 243, 240, 242, 241, 3, 0, 8, 39, 0, 177, 117, 188, 239, 112, 0, 0, 0, 0, 73, 69, 78,
    68, 174, 66, 96, 130};

static const struct { const uint8_t *bytes; size_t size; } seeds[] = {
    {palette, sizeof palette},
    {grey_alpha, sizeof grey_alpha},
    {grey16, sizeof grey16},
    {baseline, sizeof baseline},
    {progressive, sizeof progressive},
    {interlaced, sizeof interlaced},
};

/* Orientation 6 and 8, as a segment of the one and a chunk of the other; checksums are put right before trying. */
static const uint8_t app1[] = {
    255, 225, 0, 34, 69, 120, 105, 102, 0, 0, 73, 73, 42, 0, 8, 0, 0, 0, 1, 0, 18, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0,
    0, 0, 0};
static const uint8_t exif[] = {
    0, 0, 0, 26, 101, 88, 73, 102, 77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0};
/* "k" in Latin-1, and in UTF-8 with a language. */
static const uint8_t latin[] = {0, 0, 0, 5, 116, 69, 88, 116, 107, 0, 97, 233, 98, 0, 0, 0, 0};
static const uint8_t utf8[] = {0, 0, 0, 10, 105, 84, 88, 116, 107, 0, 0, 0, 100, 101, 0, 0, 195, 169, 0, 0, 0, 0};
enum { BEHIND_SOI = 2, BEHIND_IHDR = 33 };

static const struct {
    int seed;
    size_t at;
    const uint8_t *bytes;
    size_t size;
} turned[] = {
    {3, BEHIND_SOI, app1, sizeof app1},
    {4, BEHIND_SOI, app1, sizeof app1},
    {0, BEHIND_IHDR, exif, sizeof exif},
    {5, BEHIND_IHDR, exif, sizeof exif},
    {1, BEHIND_IHDR, latin, sizeof latin},
    {2, BEHIND_IHDR, utf8, sizeof utf8},
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    const int extra = i - (int)MDM_LENGTH(seeds);
    const int from = extra < 0 ? i : extra < (int)MDM_LENGTH(turned) ? turned[extra].seed : -1;
    size_t size;

    if (from < 0 || seeds[from].size + sizeof exif > capacity)
        return 0;
    size = seeds[from].size;
    memcpy(out, seeds[from].bytes, size);
    if (extra >= 0) {
        memmove(out + turned[extra].at + turned[extra].size, out + turned[extra].at, size - turned[extra].at);
        memcpy(out + turned[extra].at, turned[extra].bytes, turned[extra].size);
        size += turned[extra].size;
    }
    return size;
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t checksum(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffff;

    while (n--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    }
    return c ^ 0xffffffff;
}

static void repair(uint8_t *p, size_t size)
{
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        size_t n = read_u32(p + at);
        uint32_t c;

        if (n > size - 12 - at)
            return;
        c = checksum(p + at + 4, n + 4);
        for (int i = 0; i < 4; i++)
            p[at + 8 + n + (size_t)i] = (uint8_t)(c >> (24 - 8 * i));
        at += 12 + n;
    }
}

static int see_text(void *user, const char *key, const char *text)
{
    const size_t keys = strlen(key), n = strlen(text);

    (void)user;
    require(keys >= 1 && keys <= 79);
    for (size_t i = 0; i < n; i += (size_t)mdm_utf8_length(text + i, n - i))
        require(mdm_utf8_length(text + i, n - i) > 0);
    return MASKDM_OK;
}

static void read_texts(const uint8_t *data, size_t size)
{
    const long before = mdm_alloc_live();
    int64_t height, width;
    int channels, bits;

    require(mdm_png_texts(data, size, see_text, NULL) == (mdm_png_is(data, size) ? MASKDM_OK : MASKDM_EFORMAT));
    if (mdm_png_header(data, size, &height, &width, &channels, &bits) >= 0)
        require(channels >= 1 && channels <= 4 && height >= 0 && width >= 0);
    require(mdm_alloc_live() == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1); /* of its own size, so that a sanitizer sees a read behind the end */

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    try_picture(copy, size);
    read_texts(copy, size);
    repair(copy, size);
    try_picture(copy, size);
    read_texts(copy, size);
    free(copy);
    return 0;
}
