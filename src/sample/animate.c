/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Frames are kept as samples of the file's depth until all groups of images are through, since a frame shows all of
 * them.
 */
#include "sample/animate.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "image/apng.h"
#include "image/codec.h"
#include "os/file.h"
#include "sample/pixels.h"

#include <math.h>
#include <string.h>

enum { LAST_MILLISECONDS = 1500 }; /* for the images, before they dissolve into noise again */

struct mdm_animation {
    maskdm_sampler *sampler;
    struct mdm_animation_told told;
    struct mdm_pixels pixels;
    int64_t n, frames, cells; /* values of an image; images in a frame */
    size_t image_bytes;
    unsigned char *sample;        /* [frames,cells,H,W,C] of the file's depth */
    float *scaled, *image_pixels; /* [H,W,C] */
    maskdm_image *image, *sheet;
};

static void keep(struct mdm_animation *a, int64_t frame, int64_t cell, const float *x)
{
    const struct mdm_geometry *g = &a->sampler->geometry;

    if (g->space) {
        g->space->leave(a->image_pixels, x, g->height, g->width, g->channels);
        x = a->image_pixels;
    }
    mdm_pixels_write(&a->pixels, a->sample + (size_t)(frame * a->cells + cell) * a->image_bytes, 0, 1, x);
}

/* x with its deviation brought to that of an image, so that noise of whatever size is seen as noise. */
static const float *scale(struct mdm_animation *a, const struct maskdm_step *step, const float *x)
{
    const double by = 1 / hypot(step->signal, step->noise);

    for (int64_t k = 0; k < a->n; k++)
        a->scaled[k] = (float)(by * (double)x[k]);
    return a->scaled;
}

static void see_images(struct mdm_animation *a, const struct maskdm_step *step)
{
    for (int64_t i = 0; step->step == step->steps && i < step->count; i++)
        keep(a, step->first + i, 0, step->x + i * a->n);
}

/* Of the steps, as many as there are frames, evenly, and the last among them. */
static void see_step(struct mdm_animation *a, const struct maskdm_step *step)
{
    const int64_t frame = step->step * a->frames / step->steps;

    if (frame == (step->step - 1) * a->frames / step->steps)
        return;
    for (int64_t i = 0; i < step->count; i++)
        keep(a, frame - 1, step->first + i,
             step->step == step->steps ? step->x + i * a->n
             : a->told.noisy           ? scale(a, step, step->x + i * a->n)
                                       : step->x0 + i * a->n);
}

static int see(void *user, const struct maskdm_step *step)
{
    struct mdm_animation *a = user;

    if (a->told.one_by_one)
        see_images(a, step);
    else
        see_step(a, step);
    return 0;
}

static int prepare(struct mdm_animation *a)
{
    const struct mdm_geometry *g = &a->sampler->geometry;
    const int64_t steps = mdm_walk_left(mdm_sampler_walk(a->sampler));
    size_t bytes;

    a->n = g->height * g->width * g->channels;
    a->frames = a->told.one_by_one ? a->told.images : a->told.frames < steps ? a->told.frames : steps;
    a->cells = a->told.one_by_one ? 1 : a->told.images;
    a->image_bytes = (size_t)a->n * (size_t)(a->told.bits / 8);
    MDM_TRY(mdm_pixels_layout(&a->pixels, g, 1, a->told.bits == 8 ? MASKDM_SAMPLE_U8 : MASKDM_SAMPLE_U16, 0, 0));
    if (mdm_mul_size(&bytes, (size_t)a->frames, (size_t)a->cells) || mdm_mul_size(&bytes, bytes, a->image_bytes))
        return mdm_fail(MASKDM_EINVAL, "an animation of %lld frames of %lld images is out of range",
                        (long long)a->frames, (long long)a->cells);
    if (a->cells > 1)
        MDM_TRY(mdm_image_sheet(&a->sheet, a->cells, &a->told.columns, g->height, g->width, (int)g->channels));
    MDM_TRY(mdm_image_create(&a->image, g->height, g->width, (int)g->channels));
    a->image->bits = a->told.bits;
    a->sample = mdm_need(bytes, 1, "the frames of an animation");
    a->scaled = mdm_need((size_t)a->n, sizeof *a->scaled, "a frame of an animation");
    a->image_pixels = mdm_need((size_t)a->n, sizeof *a->image_pixels, "a frame of an animation");
    return a->sample && a->scaled && a->image_pixels ? MASKDM_OK : MASKDM_ENOMEM;
}

int mdm_animation_create(struct mdm_animation **out, maskdm_sampler *s, const struct mdm_animation_told *told)
{
    struct mdm_animation *a = mdm_need(1, sizeof *a, "an animation");
    int status;

    *out = a;
    if (!a)
        return MASKDM_ENOMEM;
    a->sampler = s;
    a->told = *told;
    status = prepare(a);
    if (status < 0) {
        mdm_animation_release(out);
        return status;
    }
    s->step = see;
    s->step_user = a;
    return MASKDM_OK;
}

void mdm_animation_release(struct mdm_animation **out)
{
    struct mdm_animation *a = *out;

    *out = NULL;
    if (!a)
        return;
    if (a->sampler->step_user == a)
        a->sampler->step = NULL;
    mdm_image_free(&a->image);
    mdm_image_free(&a->sheet);
    mdm_free(a->sample);
    mdm_free(a->scaled);
    mdm_free(a->image_pixels);
    mdm_free(a);
}

static void fill_image(const struct mdm_animation *a, const unsigned char *sample)
{
    if (a->told.bits == 16)
        memcpy(a->image->sample, sample, a->image_bytes);
    for (int64_t k = 0; a->told.bits == 8 && k < a->n; k++)
        a->image->sample[k] = (uint16_t)(sample[k] * 257);
}

static const maskdm_image *frame_at(const struct mdm_animation *a, int64_t frame)
{
    for (int64_t i = 0; i < a->cells; i++) {
        fill_image(a, a->sample + (size_t)(frame * a->cells + i) * a->image_bytes);
        if (a->sheet)
            mdm_image_place(a->sheet, a->image, i, a->told.columns);
    }
    return a->sheet ? a->sheet : a->image;
}

int mdm_animation_write(const struct mdm_animation *a, const struct mdm_png_text *text, struct mdm_writer **writer)
{
    const int64_t last = a->frames - 1, pause = a->told.one_by_one ? a->told.milliseconds : LAST_MILLISECONDS;
    struct mdm_apng *file;

    (a->sheet ? a->sheet : a->image)->text = text; /* of which a frame has nothing */
    MDM_TRY(mdm_apng_open(&file, writer, frame_at(a, last), a->frames, a->told.bits));
    for (int64_t f = 0; f <= last; f++) {
        const int status = mdm_apng_add(file, frame_at(a, f), f < last ? a->told.milliseconds : pause);

        if (status < 0) {
            mdm_apng_abandon(&file);
            return status;
        }
    }
    return mdm_apng_commit(&file);
}
