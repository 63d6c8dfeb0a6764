/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading options and the struct that the decoders take.
 */
#include "data/reading.h"

#include "base/error.h"

/* One value stands for all colours. */
static int set_background(struct mdm_reading *out, const struct mdm_float_list *given, const maskdm_options *from)
{
    const int colours = out->channels - !(out->channels % 2), n = given->count;

    if (n > 1 && n != colours)
        return mdm_fail(MASKDM_EINVAL, "%s has %d values, images of %d channels have %d colours",
                        mdm_options_said(from, "background"), n, out->channels, colours);
    for (int c = 0; c < 3; c++)
        out->background[c] = (float)given->value[n > 1 ? c : 0];
    return MASKDM_OK;
}

int64_t mdm_reading_margin(const struct mdm_folder_options *told, int64_t side)
{
    return told->crop == MDM_CROP_RANDOM ? (int64_t)((double)side * told->crop_margin + 0.5) : 0;
}

int mdm_reading_set(struct mdm_reading *out, const struct mdm_folder_options *told, const maskdm_options *from,
                    int channels)
{
    const int64_t most = PTRDIFF_MAX;

    *out = mdm_reading_standard;
    out->channels = channels;
    if (!told)
        return MASKDM_OK;
    out->filter = told->resize;
    out->cut = told->crop != MDM_CROP_NONE ? MDM_CUT_CENTRE : told->pad ? MDM_CUT_PAD : MDM_CUT_NOTHING;
    out->as_stored = told->orientation == MDM_ORIENTATION_IGNORE;
    out->pixels = told->image_pixels;
    out->memory = (size_t)(told->image_memory < most ? told->image_memory : most);
    return channels ? set_background(out, &told->background, from) : MASKDM_OK;
}
