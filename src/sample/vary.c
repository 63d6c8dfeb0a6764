/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a sampler is given beside noise: pictures to begin with, as Meng et al. 2022 (SDEdit, arXiv 2108.01073) do,
 * and pictures of which it paints a part.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "sample/options.h"
#include "sample/sampler.h"

#include <math.h>

/* The share of its steps that a sampler does, to the first of them. */
static int find_first(int64_t *out, double strength, int64_t steps)
{
    const double least = 1e-9; /* 0.29 of 100 is 28.999999999999996 */
    int64_t done;

    if (!(strength >= 0 && strength <= 1))
        return mdm_fail(MASKDM_EINVAL, "strength %g is outside 0 .. 1", strength);
    done = (int64_t)floor(strength * (double)steps + least);
    if (!done)
        return mdm_fail(MASKDM_EINVAL, "strength %g leaves none of %lld steps; %g leaves one", strength,
                        (long long)steps, ceil(1e4 / (double)steps) / 1e4);
    *out = steps - done;
    return MASKDM_OK;
}

int mdm_sampler_set_start(maskdm_sampler *s, const maskdm_image *const *image, int64_t count, double strength)
{
    struct mdm_pictures p = {0};
    int64_t first = 0;

    if (image) {
        MDM_TRY(find_first(&first, strength, s->method.steps));
        MDM_TRY(mdm_pictures_take(&p, image, count, &s->geometry));
    }
    mdm_pictures_free(&s->start_from);
    s->start_from = p;
    s->first_step = first;
    return MASKDM_OK;
}

/* Ask for the hole and what lies around it; 0, or no hole: for everything. */
static int narrow(maskdm_sampler *s, struct mdm_hole *h, int64_t around)
{
    const struct mdm_geometry *g = &s->geometry;
    int32_t *patch;
    int64_t count;
    int status;

    if (!h || !around)
        return mdm_denoiser_narrow(s->denoiser, NULL, 0);
    if (g->kinds > 1)
        return mdm_fail(MASKDM_EINVAL, "surround %lld needs a network of one kind of patches; this one has %d",
                        (long long)around, g->kinds);
    patch = mdm_need((size_t)g->patches + 1, sizeof *patch, "patches"); /* a function of the host has none */
    if (!patch)
        return MASKDM_ENOMEM;
    count = mdm_hole_patches(h, g, around < g->patches ? around : g->patches, patch);
    status = mdm_denoiser_narrow(s->denoiser, count && count == g->patches ? NULL : patch, count);
    if (status == MASKDM_OK)
        mdm_hole_leave_out(h, g, patch, count);
    mdm_free(patch);
    return status;
}

int mdm_sampler_set_hole(maskdm_sampler *s, const maskdm_image *const *image, int64_t count, const maskdm_image *mask,
                         const maskdm_options *options)
{
    struct mdm_inpaint_options told = {0};
    struct mdm_hole *h = NULL;
    maskdm_options *o;
    int status;

    if (image) {
        MDM_TRY(mdm_options_extract(&o, options, &mdm_inpaint_kind));
        mdm_options_read(o, &mdm_inpaint_options, &told);
        mdm_options_release(&o);
        MDM_TRY(mdm_hole_create(&h, image, count, mask, &s->geometry));
        h->length = told.jump_length;
        h->times = told.resample;
    }
    status = narrow(s, h, told.surround);
    if (status < 0) {
        mdm_hole_release(&h);
        return status;
    }
    mdm_sampler_drop_group(s);
    mdm_hole_release(&s->hole);
    s->hole = h;
    return MASKDM_OK;
}

struct mdm_walk mdm_sampler_walk(const maskdm_sampler *s)
{
    return mdm_walk_begin(s->first_step, s->method.steps, s->hole ? s->hole->length : 1,
                          s->hole ? s->hole->times : 1);
}
