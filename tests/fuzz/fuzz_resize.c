/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any two sizes: an image of one is fitted to the other, or refused with a line. The first bytes are the sizes, the
 * rest the pixels; one colour all over stays that colour, whatever the sizes are.
 */
#include "fuzz.h"
#include "require.h"

#include <maskdm/image.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"

#include <string.h>

enum { HEAD = 10, SIDE = 4096, MOST = 1 << 16 };

const char *const mdm_fuzz_words[] = {"\x01", "\x02\x01", "\xff\xff", "\x40", "\xff", "\x7f", NULL};

static const uint8_t seeds[][HEAD + 6] = {{9, 0, 7, 0, 4, 0, 4, 0, 3, 0, 200, 100, 50, 3, 2, 1},
                                          {1, 0, 44, 1, 64, 0, 64, 0, 1, 1, 255, 0, 255, 0, 1, 2},
                                          {3, 0, 3, 0, 200, 0, 1, 0, 4, 2, 1, 2, 3, 4, 5, 6}};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    if (i < 0 || (size_t)i >= MDM_LENGTH(seeds) || sizeof seeds[i] > capacity)
        return 0;
    memcpy(out, seeds[i], sizeof seeds[i]);
    return sizeof seeds[i];
}

/* The samples of an image of `n` values, out of the input's bytes over and over, or one value everywhere. */
static unsigned char *samples(const uint8_t *data, size_t size, size_t n, int plain)
{
    unsigned char *s = malloc(n ? n : 1);

    require(s != NULL);
    for (size_t i = 0; i < n; i++)
        s[i] = size ? data[plain ? 0 : i % size] : 128;
    return s;
}

static void judge(int64_t height, int64_t width, int channels, int64_t to_height, int64_t to_width,
                  const unsigned char *from, int plain)
{
    maskdm_image *image, *fitted;
    const size_t n = (size_t)(to_height * to_width * channels);
    unsigned char *out;
    int status;

    require(maskdm_image_create(&image, height, width, channels, MASKDM_SAMPLE_U8, from, 0) == MASKDM_OK);
    status = maskdm_image_fit(&fitted, image, to_height, to_width);
    require(status == MASKDM_OK || status == MASKDM_EINVAL);
    if (status == MASKDM_OK) {
        require(maskdm_image_height(fitted) == to_height && maskdm_image_width(fitted) == to_width);
        require(maskdm_image_channels(fitted) == channels);
        out = malloc(n);
        require(out && maskdm_image_copy(fitted, MASKDM_SAMPLE_U8, out, 0) == MASKDM_OK);
        for (size_t i = 0; plain && i < n; i++)
            require(out[i] == from[0]);
        free(out);
        maskdm_image_release(&fitted);
    }
    maskdm_image_release(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t side[4];
    int channels, plain;
    unsigned char *from;

    if (size < HEAD)
        return 0;
    for (int i = 0; i < 4; i++)
        side[i] = (int64_t)(mdm_load_le(data + 2 * i, 2) % SIDE) + 1;
    channels = data[8] % 4 + 1;
    plain = data[9] & 1 && channels % 2; /* colours are weighted by alpha, so that it must not be 0 */
    if (side[0] * side[1] > MOST || side[2] * side[3] > MOST)
        return 0;
    from = samples(data + HEAD, size - HEAD, (size_t)(side[0] * side[1] * channels), plain);
    judge(side[0], side[1], channels, side[2], side[3], from, plain);
    free(from);
    require(mdm_alloc_live() == 0);
    return 0;
}
