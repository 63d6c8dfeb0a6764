/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as an image file: refused with one line, or decoded, converted and fitted.
 */
#ifndef MASKDM_TESTS_FUZZ_PICTURE_H
#define MASKDM_TESTS_FUZZ_PICTURE_H

#include "require.h"

#include "base/alloc.h"
#include "image/codec.h"

#include <string.h>

static inline int same_picture(const maskdm_image *a, const maskdm_image *b)
{
    return a->height == b->height && a->width == b->width && a->channels == b->channels && a->bits == b->bits &&
           !memcmp(a->sample, b->sample, (size_t)(a->height * a->width * a->channels) * sizeof *a->sample);
}

/* By rows into the resizer, and as a whole: the same. */
static inline void fit_picture(const maskdm_image *m, const uint8_t *data, size_t size, struct mdm_reading how)
{
    maskdm_image *n, *fitted;

    how.height = 5;
    how.width = 8;
    require(mdm_image_fit(&n, m, 5, 8) >= 0);
    require(mdm_image_decode(&fitted, data, size, &how) >= 0);
    require(same_picture(n, fitted) && !memcmp(&m->remarks, &fitted->remarks, sizeof m->remarks));
    mdm_image_free(&fitted);
    mdm_image_free(&n);
}

static inline void try_picture(const uint8_t *data, size_t size)
{
    struct mdm_reading how = {.background = {0.2f, 0.4f, 0.6f}, .pixels = 1 << 20, .memory = 1 << 24};
    long before = mdm_alloc_live();
    maskdm_image *m;
    int r = 0;

    for (how.channels = 0; how.channels <= 4 && r >= 0; how.channels++) {
        how.as_stored = how.channels == 4;
        mdm_fail(MASKDM_OK, "%s", ""); /* so that a line is of this call */
        r = mdm_image_decode(&m, data, size, &how);
        require(r >= 0 ? m != NULL : m == NULL && mdm_error_text()[0]);
        if (r >= 0) {
            require(!how.channels || m->channels == how.channels);
            if (m->height * m->width <= 1 << 16)
                fit_picture(m, data, size, how);
        }
        mdm_image_free(&m);
        require(mdm_alloc_live() == before);
    }
}

#endif
