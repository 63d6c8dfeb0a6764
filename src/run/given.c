/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pictures are read as those of a data set are, scaled and cut to the size of what is drawn. A hole is drawn on its
 * picture, so that it must have that one's size, and goes the same way.
 */
#include "run/given.h"

#include "base/alloc.h"
#include "base/error.h"
#include "sample/options.h"

#include <string.h>

/* ---- which options go together ---- */

/* Given, and not what it is anyway, as a record of options has them all. */
static int is_given(const maskdm_options *o, const maskdm_options *plain, const char *name)
{
    return mdm_options_is_set(o, name) && strcmp(mdm_options_text(o, name), mdm_options_text(plain, name)) != 0;
}

static int check_apart(const maskdm_options *o, const maskdm_options *plain)
{
    static const char *const pair[][2] = {
        {"seeds", "interpolate"}, {"count", "interpolate"}, {"seed", "interpolate"}, {"resume", "animate"}};

    for (size_t i = 0; i < MDM_LENGTH(pair); i++)
        if (is_given(o, plain, pair[i][0]) && is_given(o, plain, pair[i][1]))
            return mdm_fail(MASKDM_EINVAL, "%s has no meaning with %s", mdm_options_said(o, pair[i][0]),
                            mdm_options_said(o, pair[i][1]));
    return MASKDM_OK;
}

int mdm_given_check(struct mdm_sample_run_options *told, const maskdm_options *options)
{
    maskdm_options *plain;
    int status;

    MDM_TRY(mdm_options_check_needs(options, &mdm_sample_run_options));
    MDM_TRY(mdm_options_check_needs(options, &mdm_inpaint_options));
    MDM_TRY(mdm_options_create(&plain, mdm_options_kind(options)));
    status = check_apart(options, plain);
    mdm_options_release(&plain);
    MDM_TRY(status);
    for (int i = 0; i < 3; i++) {
        const char *path[] = {told->init_image, told->inpaint, told->hole};

        if (*path[i])
            MDM_TRY(mdm_image_probe(path[i]));
    }
    if (!told->interpolate.count)
        return MASKDM_OK;
    if (told->interpolate.count < 2)
        return mdm_fail(MASKDM_EINVAL, "%s leads from one seed to another, as 1:9",
                        mdm_options_said(options, "interpolate"));
    if (told->frames < told->interpolate.count)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is less than the %d seeds of %s", mdm_options_said(options, "frames"),
                        (long long)told->frames, told->interpolate.count, mdm_options_said(options, "interpolate"));
    told->count = told->frames;
    return MASKDM_OK;
}

/* ---- pictures ---- */

static int read_picture(maskdm_image **out, const char *path, int64_t channels)
{
    struct mdm_reading how = mdm_reading_standard;

    how.channels = (int)channels;
    return mdm_image_read(out, path, &how);
}

/* To the size of what is drawn, unless it has that. */
static int fit(maskdm_image **image, const maskdm_sampler *s, const char *path)
{
    const struct mdm_geometry *g = &s->geometry;
    maskdm_image *fitted;

    if ((*image)->height == g->height && (*image)->width == g->width)
        return MASKDM_OK;
    mdm_log_line(mdm_control_log(s->control), MASKDM_LOG_INFO, "%s is fitted from %lld x %lld pixels to %lld x %lld",
                 path, (long long)(*image)->height, (long long)(*image)->width, (long long)g->height,
                 (long long)g->width);
    MDM_TRY(mdm_image_fit(&fitted, *image, g->height, g->width));
    mdm_image_free(image);
    *image = fitted;
    return MASKDM_OK;
}

static int set_start(maskdm_sampler *s, const struct mdm_sample_run_options *told)
{
    maskdm_image *image;
    int status;

    MDM_TRY(read_picture(&image, told->init_image, s->geometry.channels));
    status = fit(&image, s, told->init_image);
    if (status == MASKDM_OK)
        status = mdm_sampler_set_start(s, (const maskdm_image *const *)&image, 1, told->strength);
    mdm_image_free(&image);
    return status;
}

static int check_sizes(const maskdm_image *mask, const maskdm_image *image, const struct mdm_sample_run_options *told)
{
    if (mask->height == image->height && mask->width == image->width)
        return MASKDM_OK;
    return mdm_fail(MASKDM_ESHAPE, "%s has %lld x %lld pixels, and %s, in which it is the hole, %lld x %lld",
                    told->hole, (long long)mask->height, (long long)mask->width, told->inpaint,
                    (long long)image->height, (long long)image->width);
}

static int set_hole(maskdm_sampler *s, const struct mdm_sample_run_options *told, const maskdm_options *options)
{
    maskdm_image *image = NULL, *mask = NULL;
    int status = read_picture(&image, told->inpaint, s->geometry.channels);

    if (status == MASKDM_OK)
        status = read_picture(&mask, told->hole, 1);
    if (status == MASKDM_OK)
        status = check_sizes(mask, image, told);
    if (status == MASKDM_OK)
        status = fit(&image, s, told->inpaint);
    if (status == MASKDM_OK)
        status = fit(&mask, s, told->hole);
    if (status == MASKDM_OK)
        status = mdm_sampler_set_hole(s, (const maskdm_image *const *)&image, 1, mask, options);
    mdm_image_free(&image);
    mdm_image_free(&mask);
    return status;
}

/* ---- all of it ---- */

static int go_between(struct mdm_given *g, const struct mdm_sample_run_options *told)
{
    uint64_t seed[MDM_INTERPOLATE_SEEDS];

    for (int i = 0; i < told->interpolate.count; i++)
        seed[i] = (uint64_t)told->interpolate.value[i];
    return mdm_between_make(&g->between, seed, told->interpolate.count, told->frames);
}

int mdm_given_hand_over(struct mdm_given *g, maskdm_sampler *s, const struct mdm_sample_run_options *told,
                        const maskdm_options *options)
{
    if (*told->init_image)
        MDM_TRY(set_start(s, told));
    if (*told->inpaint)
        MDM_TRY(set_hole(s, told, options));
    return told->interpolate.count ? go_between(g, told) : MASKDM_OK;
}

void mdm_given_free(struct mdm_given *g)
{
    mdm_between_free(&g->between);
}
