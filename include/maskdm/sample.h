/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sampling: images from noise.
 *
 *     maskdm_sampler_create(&s, model, MASKDM_WEIGHTS_EMA, options, NULL);      // kind "sampler"
 *     maskdm_sampler_run(s, 16, NULL, NULL, MASKDM_SAMPLE_U8, pixels, 0, 0);
 *
 * An image's bytes depend on its own seed, never on the batch it is in or on the number of threads.
 * Thread safety: a sampler belongs to one thread at a time; a second run meanwhile, from a callback too, is
 * MASKDM_EBUSY.
 */
#ifndef MASKDM_SAMPLE_H
#define MASKDM_SAMPLE_H

#include <maskdm/control.h>
#include <maskdm/image.h>
#include <maskdm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_sampler maskdm_sampler;

/**
 * which: enum maskdm_weights. options: kind "sampler" (which one, its steps, spacing, guidance, clip,
 * seed, batch_size); NULL for the defaults. control: NULL for none.
 *
 * guidance w (Ho and Salimans 2022, arXiv 2207.12598): predictions are weaker + w (prediction - weaker), so that 1 is
 * no guidance. The weaker one is the network's without the label, so that 0 ignores it: of a network with classes
 * (else MASKDM_EINVAL) that was trained with some label_dropout; images with label -1 are what they are without
 * guidance. Or it is, by guidance_by, the network's own of a poorer view, which needs no labels. Guidance acts
 * between the noise-to-signal ratios guidance_low and guidance_high; elsewhere nothing is asked for twice.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_create(maskdm_sampler **out, maskdm_model *model,
                                                       int which, const maskdm_options *options,
                                                       maskdm_control *control);
/**
 * The same, guided by a second model: predictions are the guide's + guidance (the model's - the guide's). The guide
 * is a weaker one, smaller or trained less (Karras et al. 2024, arXiv 2406.02507), or the one that the model was
 * fine-tuned from (Zhong et al. 2025, arXiv 2504.01521); the network needs no labels. A guide that has classes is
 * told the labels unless guidance_labels is false. MASKDM_ESHAPE or MASKDM_EINVAL, with both values, where its
 * images, its device, its process, prediction or number of classes is another, and at guidance 1, so that there must
 * be options. guide_which: enum maskdm_weights.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_create_guided(maskdm_sampler **out, maskdm_model *model, int which,
                                                              maskdm_model *guide, int guide_which,
                                                              const maskdm_options *options,
                                                              maskdm_control *control);
/**
 * Whom a sampler asks in place of a network: what is predicted for `count` images at a time of the scheduler's
 * process. x: count x height x width x channels, x_t as maskdm_scheduler_add_noise() makes it; labels: one per image,
 * -1 the null class, or NULL: all null; prediction: as many values as x, in the meaning of the scheduler's
 * prediction. What a network would be given and told are the scheduler's factors "input_scale" and "network_time".
 * An image's bytes are its own where the answer for one does not depend on the others. A time
 * lies above the process's range where a solver adds noise at its noisy end (churn). Non-zero cancels. No lock is
 * held: it may use other handles, the device's too, and release the sampler.
 */
typedef int (*maskdm_denoise_callback)(void *user, int64_t count, const float *x, double time, const int32_t *labels,
                                       float *prediction);
/**
 * The same for any denoiser. The solver's arithmetic runs on `device`; images have height x width pixels of so many
 * channels, up to 2^31 values. classes: labels are -1 .. classes - 1; 0: there are none. drop(user), if given, is
 * called when the last reference goes, which may be at the end of a call that was at work then, or before a refusal
 * returns.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_create_custom(maskdm_sampler **out, maskdm_device *device,
                                                              maskdm_scheduler *scheduler, int64_t height,
                                                              int64_t width, int channels, int64_t classes,
                                                              maskdm_denoise_callback denoise,
                                                              maskdm_drop_callback drop, void *user,
                                                              const maskdm_options *options, maskdm_control *control);
MASKDM_API void maskdm_sampler_release(maskdm_sampler **sampler);

/**
 * Sample `count` images into `out`: height x width x channels samples of a type, `row_stride` and `image_stride`
 * bytes apart (0: packed), (x + 1) / 2 clipped to 0 .. 1. seeds: one per image, or NULL: the option
 * `seed` + i. labels: one per image, -1 the null class; NULL: all null.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_run(maskdm_sampler *sampler, int64_t count, const uint64_t *seeds,
                                                    const int32_t *labels, int sample_type, void *out,
                                                    size_t row_stride, size_t image_stride);
/**
 * The same from given noise, for a sampler without pictures. x: count x n unit normals, replaced by the last x (not
 * clipped, in -1 .. 1 units). noise: draws x count x n normals in the order in which the sampler uses them, NULL
 * where it needs none; draws is maskdm_solver_draws() of a solver with these options: steps - 1, say,
 * for ddpm and for ddim with an eta above 0.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_run_from(maskdm_sampler *sampler, int64_t count, float *x,
                                                         const float *noise, const int32_t *labels);
/**
 * The same on the way from one seed to the next: `frames` images, the first and last of which are the seeds' own, the
 * rest at even distances. Wherever an image's noise is drawn, it is that of the two seeds between which it lies,
 * turned into each other (slerp). through: the `count` seeds, 2 or more. labels: one per frame, or NULL: all null.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_run_between(maskdm_sampler *sampler, const uint64_t *through,
                                                            int64_t count, int64_t frames, const int32_t *labels,
                                                            int sample_type, void *out, size_t row_stride,
                                                            size_t image_stride);
/**
 * Begin with pictures in place of noise alone, from the next run on: image i of a run with image[i % count], as much
 * noise added as there is before the first of the last strength * steps steps, which alone are done. strength: 0 ..
 * 1; 1 does all of them, from noise alone. One that leaves no step is MASKDM_EINVAL. Pictures are copied; they have
 * the size and channels of what is drawn (else MASKDM_ESHAPE; maskdm_image_fit() brings them there). image NULL:
 * noise alone again.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_set_start(maskdm_sampler *sampler, const maskdm_image *const *image,
                                                          int64_t count, double strength);
/**
 * Paint a part of pictures, from the next run on: image i of a run is image[i % count] but for the hole, the pixels
 * that are at least half white in `mask`, a picture of one channel. Before every evaluation the known pixels are put
 * in their place with the noise of that moment; in the end they are the picture's own. Pictures and mask are copied,
 * and have the size of what is drawn (else MASKDM_ESHAPE). image NULL: whole images again, and mask may be NULL. With
 * maskdm_sampler_set_start() the hole is painted over what was there.
 *
 * options: kind "inpaint"; NULL for the defaults. resample, jump_length: as RePaint (Lugmayr et al. 2022, arXiv
 * 2201.09865). surround: a network that was trained with masks is given the patches of the hole and those up to so
 * many patches around it alone; the rest is left out as in training, and a step costs as much less. It is
 * MASKDM_EINVAL where somebody is asked who always sees whole images: a function of the host, guidance_by routed or
 * masked.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sampler_set_hole(maskdm_sampler *sampler, const maskdm_image *const *image,
                                                         int64_t count, const maskdm_image *mask,
                                                         const maskdm_options *options);
/**
 * What a step callback sees: a group of images between two steps of the sampler. Filled by the library; new fields
 * are only appended, and struct_size tells how many bytes there are. Images are count x height x width x channels
 * floats; of a model of wavelets they are coefficients, which maskdm_model_decode() makes pixels of.
 */
struct maskdm_step {
    size_t struct_size;   /* bytes */
    int64_t step, steps;  /* done so far, and wanted, of these images */
    int64_t first, count; /* which images of the call they are */
    int64_t values;       /* of one image */
    double signal, noise; /* x is signal times an image and noise times unit normals; 1 and 0 at the end */
    float *x;             /* what the next step begins with, or the images; may be written */
    const float *x0;      /* the images as they were predicted in this step, a preview */
};
/**
 * Called after each step, on the thread that samples. It may change x, which the sampler takes back when it returns;
 * that the result is an image with as much noise as the next step expects is its affair. Images depend on their own
 * seeds alone as long as what is done to one does not depend on the others. A change counts whatever a solver keeps
 * beside x, but the x0 of earlier steps stay as they were predicted. Non-zero cancels: MASKDM_ECANCELED. The sampler
 * is at work: it may be released, and given another callback, but not run.
 */
typedef int (*maskdm_step_callback)(void *user, const struct maskdm_step *step);
/** NULL: none. */
MASKDM_API void maskdm_sampler_set_step(maskdm_sampler *sampler, maskdm_step_callback callback, void *user);

/** The whole job: options of kind "sample" (model, out, count, ...). `out` ending in ".png", in whatever case,
 * gives one grid, as do devices and pipes, which are written into; otherwise it is a folder for single images,
 * each named by its seed and its label: 000007.png, 000008-cat.png, ... A grid is enlarged by a whole number, so
 * that its longer side has 512 pixels at least (`scale`), and what is transparent lies over a checkerboard. A name
 * with another suffix is MASKDM_EINVAL unless such a folder exists or the name ends in a slash. All of this, and
 * whether the place can be written to, is said before the model is read, and sizes that a grid cannot have before
 * the first step.
 *
 * A folder keeps the options and the digest of the weights in options.json. With the option `resume` its missing
 * images are drawn, to the bytes that they would have had; other options, or another model, are MASKDM_EINVAL. So
 * is, without it, a folder that is not empty. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_sample(const maskdm_options *options, maskdm_control *control);

#ifdef __cplusplus
}
#endif

#endif
