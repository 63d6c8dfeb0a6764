/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whom a sampler asks: what is predicted for images at one time. A model's network is one, a function of the host
 * another; what guides asks others and combines what they say. Adding one is a file with a struct mdm_denoiser_class
 * and a function that makes it.
 */
#ifndef MASKDM_SAMPLE_DENOISER_H
#define MASKDM_SAMPLE_DENOISER_H

#include <maskdm/sample.h>

#include "base/control.h"
#include "diffusion/guidance.h"
#include "model/model.h"

/* What is asked. Images are device memory, the rest host memory. */
struct mdm_question {
    int64_t batch;
    double time;            /* the process's own, */
    struct mdm_level level; /* and what it stands for where the solver is */
    const float *x;         /* [B,H,W,C] x_t, as the solver has it */
    const int32_t *labels;  /* [B], -1 null; NULL: all null */
    float *spare;           /* [B,H,W,C] for whoever is asked to work in; NULL: none */
    const uint64_t *seeds;  /* [B] of the images, for what is drawn in an evaluation; NULL: nothing can be */
    int64_t evaluation;     /* counted from 0 */
    float *variance;        /* [B,H,W,C] receives what is said of the step's variance; NULL: nobody wants it */
};

struct mdm_denoiser {
    const struct mdm_denoiser_class *kind;
};

struct mdm_denoiser_class {
    /* Take what it needs to be asked for `batch` images and for `most`, which is not fewer; it is asked for no other
     * number. What it holds already is kept; after a failure it holds nothing. beside: bytes of device memory that
     * the caller takes next. */
    int (*ready)(struct mdm_denoiser *d, int64_t batch, int64_t most, size_t beside);
    /* Bytes of device memory that being ready for so many takes. */
    int (*wants)(const struct mdm_denoiser *d, int64_t most, size_t *bytes);
    /* The prediction [B,H,W,C] in the scheduler's meaning into `out`, which may be q->x. The caller has not entered
     * the device. A cancelled one has its line already. q->variance is for a model that says one. */
    int (*ask)(struct mdm_denoiser *d, const struct mdm_question *q, float *out);
    void (*rest)(struct mdm_denoiser *d); /* give back what ready() took */
    void (*release)(struct mdm_denoiser *d);
    size_t (*memory)(const struct mdm_denoiser *d); /* bytes of device memory that ready() took */
    /* Ask only for these patches from now on, rising, with the others out of sight: there its prediction is 0. patch
     * NULL: for all again. NULL: it knows of no patches. */
    int (*narrow)(struct mdm_denoiser *d, const int32_t *patch, int64_t visible);
    const char *whole; /* what it is called in the refusal then */
};

/* NULL is fine; *d becomes NULL. */
void mdm_denoiser_release(struct mdm_denoiser **d);
/* See narrow() above; MASKDM_EINVAL for one that knows of no patches. */
int mdm_denoiser_narrow(struct mdm_denoiser *d, const int32_t *patch, int64_t visible);

/* A model's network on one set of its weights. Holds model and control. */
int mdm_denoiser_of_model(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which,
                          maskdm_control *control);
/* The same without what comes from the deep blocks of a sprint, which it does not run. */
int mdm_denoiser_shallow(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which,
                         maskdm_control *control);
/* The same where a share of an image's tokens passes its routed blocks by; 0: the share of each route in training.
 * Asked with seeds, for one number of images. */
int mdm_denoiser_routed(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which, double ratio,
                        maskdm_control *control);
/* The same seeing an image in `parts`, each by itself; they divide its patches. Asked with seeds, for one number of
 * images. */
int mdm_denoiser_masked(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which, int64_t parts,
                        maskdm_control *control);
/* A function of the host, for images of so many values. */
int mdm_denoiser_custom(struct mdm_denoiser **out, maskdm_device *device, int64_t values,
                        maskdm_denoise_callback denoise, void *user);

/* How one is guided by another. */
struct mdm_guiding {
    struct mdm_denoiser *asked, *weaker; /* weaker NULL: the same without labels */
    int unlabelled;                      /* the weaker one is not told the labels */
    maskdm_device *device;
    int64_t pixels, channels; /* of an image */
    struct mdm_guidance guidance;
};
/* Owns both denoisers from here on, after a failure too, and holds the device. */
int mdm_denoiser_guided(struct mdm_denoiser **out, const struct mdm_guiding *how);

#endif
