/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading options and the struct that the decoders take.
 */
#include "data/reading.h"

#include "base/error.h"

#include <string.h>

/* One value stands for all colours. */
static int set_background(struct mdm_reading *out, const maskdm_options *options)
{
    const int colours = out->channels - !(out->channels % 2);
    double value[4] = {1};
    int n = mdm_options_list(options, "background", value, 4);

    if (n > 1 && n != colours)
        return mdm_fail(MASKDM_EINVAL, "%s has %d values, images of %d channels have %d colours",
                        mdm_options_said(options, "background"), n, out->channels, colours);
    for (int c = 0; c < 3; c++)
        out->background[c] = (float)value[n > 1 ? c : 0];
    return MASKDM_OK;
}

int mdm_reading_set(struct mdm_reading *out, const maskdm_options *options, int channels)
{
    const int64_t most = PTRDIFF_MAX;
    int64_t memory;

    *out = mdm_reading_standard;
    out->channels = channels;
    if (!options)
        return MASKDM_OK;
    out->as_stored = !strcmp(mdm_options_string(options, "orientation"), "ignore");
    out->pixels = mdm_options_int(options, "image_pixels");
    memory = mdm_options_int(options, "image_memory");
    out->memory = (size_t)(memory < most ? memory : most);
    return channels ? set_background(out, options) : MASKDM_OK;
}
