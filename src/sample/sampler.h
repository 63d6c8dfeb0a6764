/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampler handle: whom it asks, a solver of diffusion/, and memory for as many images as go at once. What happens
 * to an image depends on its own seed alone: a network's program cuts products per image, its noise comes from
 * streams of its own.
 */
#ifndef MASKDM_SAMPLE_SAMPLER_H
#define MASKDM_SAMPLE_SAMPLER_H

#include <maskdm/sample.h>

#include "base/control.h"
#include "diffusion/method.h"
#include "image/sheet.h"
#include "sample/denoiser.h"
#include "sample/hole.h"
#include "sample/walk.h"

struct maskdm_sampler {
    struct mdm_handle handle;
    maskdm_device *device;
    maskdm_scheduler *scheduler;
    maskdm_model *model;           /* whose network is asked; NULL: a function of the host is */
    maskdm_model *guide;           /* the one that guides, or NULL */
    struct mdm_geometry geometry;  /* of the images: no patches where there is no model */
    struct mdm_denoiser *denoiser; /* the one that is asked */
    maskdm_drop_callback drop;     /* of the host whose function it is, or NULL */
    void *drop_user;
    maskdm_control *control;
    struct mdm_method method;
    int64_t batch_size; /* most images at once */
    uint64_t seed;
    maskdm_step_callback step;
    void *step_user;
    struct mdm_pictures start_from; /* what the first step finds with noise; none: noise alone */
    int64_t first_step;             /* 0 with none */
    struct mdm_hole *hole;          /* of pictures of which a part is painted; NULL: all is */
    int quiet;                      /* steps are not reported: the host watches something else */

    /* Made for the number of images that go at once, and made anew when that changes. */
    int64_t group; /* B; 0: none was made */
    /* [B,H,W,C] each, in one block of device memory that begins at x. */
    float *x, *prediction;
    float *x0;                         /* of this evaluation */
    float *spare;                      /* noise */
    float *before[MDM_BEFORE], *start; /* what the method looks back at; NULL where it does not */
    float *variance;                   /* what the network says of it; NULL where the method has its own */
    size_t bytes;                      /* of that block */
    float *shown, *seen;               /* [B,H,W,C], host memory: x0 or the images; x between steps */
    float *other;                      /* [H,W,C], host memory: noise of a second seed */
    struct mdm_rng *streams;           /* [B] */
    uint64_t *seeds;                   /* [B] of the images */
    double *limit;                     /* [B], of images whose values are limited */
};

/* guide: the model that guides, NULL: none does. */
int mdm_sampler_create(maskdm_sampler **out, maskdm_model *model, enum maskdm_weights which, maskdm_model *guide,
                       enum maskdm_weights guide_which, const maskdm_options *options, maskdm_control *control);
/* The same of a function of the host, for images of that size. drop(user) is called when the sampler goes; where none
 * comes to be it is not. */
int mdm_sampler_create_custom(maskdm_sampler **out, maskdm_device *device, maskdm_scheduler *scheduler,
                              const struct mdm_geometry *geometry, maskdm_denoise_callback denoise,
                              maskdm_drop_callback drop, void *user, const maskdm_options *options,
                              maskdm_control *control);
void mdm_sampler_drop(maskdm_sampler **s);
/* Where the noise of image i comes from: stream from[i], or on the way from there to to[i] by the share way[i]. */
struct mdm_seeds {
    const uint64_t *from; /* NULL: the sampler's own + i */
    const uint64_t *to;   /* NULL: nowhere; else `from` is given */
    const double *way;
};
/* Called with each finished group: images first .. first + batch - 1, [batch,H,W,C] in -1 .. 1 units. */
typedef int (*mdm_sampler_take)(void *user, int64_t first, int64_t batch, const float *x);
int mdm_sampler_each(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels,
                     mdm_sampler_take take, void *user);
int mdm_sampler_run(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels, int sample_type,
                    void *out, size_t row_stride, size_t image_stride);
int mdm_sampler_run_from(maskdm_sampler *s, int64_t count, float *x, const float *noise, const int32_t *labels);
/* ---- vary.c: kept until they are set again; `image` NULL: none. Where they fail, everything is as it was ---- */
int mdm_sampler_set_start(maskdm_sampler *s, const maskdm_image *const *image, int64_t count, double strength);
/* options: kind "inpaint", or a composite with it. */
int mdm_sampler_set_hole(maskdm_sampler *s, const maskdm_image *const *image, int64_t count, const maskdm_image *mask,
                         const maskdm_options *options);
/* The steps that it does. */
struct mdm_walk mdm_sampler_walk(const maskdm_sampler *s);

/* -1 .. classes - 1 for each of count; NULL is fine. */
int mdm_sampler_check_labels(const maskdm_sampler *s, int64_t count, const int32_t *labels);

/* ---- guide.c ---- */
/* Puts guidance in front of s->denoiser, as options (checked, with the sampler's) and guide want it. */
int mdm_sampler_guide(maskdm_sampler *s, const maskdm_options *o, enum maskdm_weights which, maskdm_model *guide,
                      enum maskdm_weights guide_which);

/* ---- group.c ---- */
/* Whom it asks and buffers for `batch` images, kept while that number stays. */
int mdm_sampler_ready_group(maskdm_sampler *s, int64_t batch);
void mdm_sampler_drop_group(maskdm_sampler *s);
/* From what diffusion works on to pixels, the images in s->shown; s->seen is used. */
void mdm_sampler_leave(maskdm_sampler *s, int64_t batch);
/* Bytes of device memory that the sampler holds beside its model, as the device counts them: none before the first
 * group. */
size_t mdm_sampler_memory(const maskdm_sampler *s);
/* Of a sampler of any method and its model, which has two sets of weights where it was trained with an average. */
int mdm_sampler_estimate(size_t *bytes, maskdm_device *device, const char *network, const maskdm_options *options,
                         struct mdm_extent extent);

/* ---- write.c ---- */
struct mdm_writer;
struct mdm_nearest;
/* How images are written. */
struct mdm_writing {
    struct mdm_sheet_how sheet;      /* of a grid; of single images its bits alone count */
    const struct mdm_png_text *text; /* what every file says, up to a NULL key, to which seed and label are added;
                                      * NULL: nothing at all is said */
    struct mdm_nearest *nearest;     /* whose images stand beside those of a grid; NULL: none */
};
/* Sample, and write one PNG into a writer, which is committed or abandoned in every case. Sizes that a grid cannot
 * have are refused before the first step. */
int mdm_sampler_write_grid(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels,
                           const struct mdm_writing *how, struct mdm_writer **writer);
/* Sample, and write each image under its name into an existing folder, as soon as its group is done. number: which
 * `count` images of the whole to draw, NULL for 0 .. count - 1; an image's seeds and its place in `labels` go by its
 * number. *written counts those that are there, after a failure too. */
int mdm_sampler_write_images(maskdm_sampler *s, int64_t count, const int64_t *number, struct mdm_seeds seeds,
                             const int32_t *labels, const struct mdm_writing *how, const char *folder,
                             int64_t *written);

/* ---- naming.c: which image is which ---- */
struct mdm_naming {
    uint64_t first;                 /* seed of image 0 */
    int between;                    /* images lie between seeds: they are numbered, and `first` is 0 */
    const int32_t *labels;          /* NULL: none */
    const struct mdm_labels *names; /* of the labels, or NULL */
};
struct mdm_naming mdm_sampler_naming(const maskdm_sampler *s, struct mdm_seeds seeds, const int32_t *labels);
enum { MDM_SAMPLING_NAME = 96 }; /* bytes of an image's name with its NUL */
/* "000012.png", by its seed, or "000012-cat.png"; what a file's name may not have, or is too long, is cut. */
void mdm_naming_file(char out[MDM_SAMPLING_NAME], const struct mdm_naming *n, int64_t number);
/* The number of the image that a file's name is of, -1: of none. */
int64_t mdm_naming_number(const struct mdm_naming *n, const char *file, int64_t count);
/* The name of its label, "5" of one without a name, or NULL: it has none. `room` may be used. */
const char *mdm_naming_label(char room[24], const struct mdm_naming *n, int64_t number);
/* "12" or "12 cat". */
void mdm_naming_caption(char out[MDM_SAMPLING_NAME], const struct mdm_naming *n, int64_t number);

/* ---- settle.c ---- */
/* Where options leave the choice of a sampler, or make the one that the model is to be drawn with, its settings
 * become theirs for the rest. */
int mdm_sampler_follow(maskdm_options *o, const maskdm_model *model);
/* The same of options of kind "sampler" that are taken from the caller's. model NULL: there is none. */
int mdm_sampler_settle(maskdm_options **out, const maskdm_options *options, const maskdm_model *model);

#endif
