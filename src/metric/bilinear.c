/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images at the size that a feature network was trained on. Pixels have their centres in half places, and nothing is
 * smoothed where an image shrinks: so does pytorch-fid, and other figures would not compare.
 */
#include "metric/extractor.h"

/* Between which two pixels of so many pixel i of `side` lies, and how far behind the first. */
static void between(int64_t i, int64_t side, int64_t pixels, int64_t *low, int64_t *high, float *share)
{
    double at = ((double)i + 0.5) * (double)pixels / (double)side - 0.5;

    if (at < 0)
        at = 0;
    *low = (int64_t)at;
    if (*low > pixels - 1)
        *low = pixels - 1;
    *high = *low + 1 < pixels ? *low + 1 : *low;
    *share = (float)(at - (double)*low);
}

void mdm_bilinear(float *out, int64_t side, const float *image, int64_t height, int64_t width, int channels)
{
    for (int64_t y = 0; y < side; y++) {
        int64_t top, bottom;
        float down;

        between(y, side, height, &top, &bottom, &down);
        for (int64_t x = 0; x < side; x++) {
            int64_t left, right;
            float across;

            between(x, side, width, &left, &right, &across);
            for (int k = 0; k < MDM_EXTRACTOR_CHANNELS; k++) {
                const int c = channels == 1 ? 0 : k;
                const float a = image[(top * width + left) * channels + c];
                const float b = image[(top * width + right) * channels + c];
                const float d = image[(bottom * width + left) * channels + c];
                const float e = image[(bottom * width + right) * channels + c];
                const float above = a * (1 - across) + b * across, below = d * (1 - across) + e * across;

                *out++ = 2 * (above * (1 - down) + below * down) - 1;
            }
        }
    }
}
