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
#include "model/model.h"

/* What is asked. Images are device memory, the rest host memory. */
struct mdm_question {
    int64_t batch;
    double time;           /* the process's own */
    const float *x;        /* [B,H,W,C] x_t, as the solver has it */
    const int32_t *labels; /* [B], -1 null; NULL: all null */
    float *spare;          /* [B,H,W,C] for whoever is asked to work in */
};

struct mdm_denoiser {
    const struct mdm_denoiser_class *kind;
};

struct mdm_denoiser_class {
    /* Take what it needs to be asked for `batch` images, no more and no less; what it holds already is kept. After a
     * failure it holds nothing. */
    int (*ready)(struct mdm_denoiser *d, int64_t batch);
    /* The prediction [B,H,W,C] in the scheduler's meaning into `out`, which is not q->x. The caller has not entered
     * the device. A cancelled one has its line already. */
    int (*ask)(struct mdm_denoiser *d, const struct mdm_question *q, float *out);
    void (*rest)(struct mdm_denoiser *d); /* give back what ready() took */
    void (*release)(struct mdm_denoiser *d);
    size_t (*memory)(const struct mdm_denoiser *d); /* bytes of device memory that ready() took */
    /* Ask only for these patches from now on, rising, with the others out of sight: there its prediction is 0. patch
     * NULL: for all again. NULL: it knows of no patches. */
    int (*narrow)(struct mdm_denoiser *d, const int32_t *patch, int64_t visible);
};

/* NULL is fine; *d becomes NULL. */
void mdm_denoiser_release(struct mdm_denoiser **d);
/* See narrow() above; MASKDM_EINVAL for one that knows of no patches. */
int mdm_denoiser_narrow(struct mdm_denoiser *d, const int32_t *patch, int64_t visible);

/* A model's network on one set of its weights. Holds model and control. */
int mdm_denoiser_of_model(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which,
                          maskdm_control *control);
/* A function of the host, for images of so many values. */
int mdm_denoiser_custom(struct mdm_denoiser **out, maskdm_device *device, int64_t values,
                        maskdm_denoise_callback denoise, void *user);
/* Follows the labels farther than `asked` does, by `scale` (Ho and Salimans 2022, arXiv 2207.12598). Owns `asked`,
 * from here on and after a failure. */
int mdm_denoiser_guided(struct mdm_denoiser **out, struct mdm_denoiser *asked, maskdm_device *device, int64_t values,
                        double scale);

#endif
