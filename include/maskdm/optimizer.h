/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The optimizer: AdamW with decoupled decay (Loshchilov and Hutter 2019, as PyTorch computes it) on every parameter,
 * or with optimizer=muon on those that are no hidden matrices, which Muon moves (Jordan et al. 2024); a rate that
 * grows over a warm-up and then follows a schedule (doc/optimizers.md), clipping by global norm, and the averages of
 * the weights: the exponential one with ema_pytorch's warm-up (copy while s <= start, then decay = min(decay, 1 - (1
 * + e/inv_gamma)^-power), e = s - start), power functions of several widths, or one with a half-life.
 *
 * An optimizer is bound to one trainer by maskdm_trainer_create(), which gives it its state, or by
 * maskdm_optimizer_bind() to parameters of the host's own:
 *
 *     maskdm_optimizer_bind(optimizer, device, count, names, shapes, NULL, weights);
 *     for (;;) {
 *         maskdm_optimizer_set_gradient(optimizer, i, gradient, elements);    // of every parameter
 *         maskdm_optimizer_step(optimizer);
 *         maskdm_optimizer_update_ema(optimizer);
 *         maskdm_optimizer_weights(optimizer, i, weights, elements);
 *     }
 *
 * Thread safety: belongs to the trainer's thread. Each is at work while the other is (MASKDM_EBUSY).
 */
#ifndef MASKDM_OPTIMIZER_H
#define MASKDM_OPTIMIZER_H

#include <maskdm/device.h>
#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_optimizer maskdm_optimizer;

/** options: kind "optimizer"; ema: kind "ema"; NULL: the defaults. A schedule that ends needs lr_steps. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options,
                                                         const maskdm_options *ema);
MASKDM_API void maskdm_optimizer_release(maskdm_optimizer **optimizer);
/** Bind it to `count` parameters in place of a trainer's: of a network that is not this library's. shapes: 4 numbers
 * a parameter, 0 behind its last dimension. matrices: for each 0, or that it is a hidden weight of so many matrices,
 * one below the other along the first dimension, for optimizer=muon; NULL: 0 for all. weights: what each begins with,
 * and the averages with it; NULL, or NULL for one: zeros. Memory is the optimizer's, on the device; all is copied.
 * MASKDM_EINVAL where it is bound already, MASKDM_ESHAPE, with the name, for a shape that makes no such matrices. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_bind(maskdm_optimizer *optimizer, maskdm_device *device,
                                                       int64_t count, const char *const *names, const int64_t *shapes,
                                                       const int32_t *matrices, const float *const *weights);
/** Parameter i of those, or of the trainer's model in its order. Put its weights, of an optimizer that has its own
 * (MASKDM_EINVAL for a trainer's); put its gradient, to which nothing is added; read its weights; read its average of
 * width `width`, from 0 to maskdm_optimizer_widths() - 1. MASKDM_EINVAL when not bound. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_set_weights(maskdm_optimizer *optimizer, int64_t i,
                                                              const float *value, int64_t count);
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_set_gradient(maskdm_optimizer *optimizer, int64_t i,
                                                               const float *value, int64_t count);
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_weights(const maskdm_optimizer *optimizer, int64_t i, float *out,
                                                          int64_t count);
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_average(const maskdm_optimizer *optimizer, int64_t width, int64_t i,
                                                          float *out, int64_t count);
/** How many averages are kept: one, none with decay=0, or one for each `std` of type=power. */
MASKDM_API int64_t maskdm_optimizer_widths(const maskdm_optimizer *optimizer);
/** What update `update` (from 0) of an average leaves of it: 0 for a copy of the weights, 1 where it stays; NaN for
 * an average that there is not and for a negative update. */
MASKDM_API double maskdm_optimizer_decay(const maskdm_optimizer *optimizer, int64_t width, int64_t update);
/** Move the weights by the gradients summed so far, clipped, and set the gradients to zero. Counts one step. A
 * gradient norm that is not finite skips the update (the step counts, weights and moments stay). MASKDM_EINVAL when
 * not bound, or when an update broke off half-way (see maskdm_device_open_hosted()). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_step(maskdm_optimizer *optimizer);
/** Let the average follow the weights. Counts one update. After a step that was skipped it does nothing. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_update_ema(maskdm_optimizer *optimizer);
/** Steps counted so far, skipped ones too. */
MASKDM_API int64_t maskdm_optimizer_steps(const maskdm_optimizer *optimizer);
/** Learning rate that step `step` (from 0) has; NaN for a negative one. */
MASKDM_API double maskdm_optimizer_lr(const maskdm_optimizer *optimizer, int64_t step);
/** The rate of all steps to come, warm-up and schedule aside, for a schedule of one's own; NaN: that of the options
 * again. MASKDM_EINVAL for a negative or infinite one. Training states hold it. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_set_lr(maskdm_optimizer *optimizer, double lr);
/** Treat the parameters whose names match a pattern ('*': any characters, '?': one) apart: `lr_factor` times the rate
 *  of the others, and a weight decay of their own (NaN: that of the others). With a factor of 0 they are frozen:
 *  weights and moments stay, and their gradients do not count in the norm. Where patterns meet, the one that was set
 *  last decides. Before or after a trainer is made; MASKDM_ENOTFOUND after it where no name matches. Training
 *  states hold the groups. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_set_group(maskdm_optimizer *optimizer, const char *pattern,
                                                            double lr_factor, double weight_decay);
/** Norm of the last step's gradient before clipping; NaN before the first. */
MASKDM_API double maskdm_optimizer_grad_norm(const maskdm_optimizer *optimizer);

#ifdef __cplusplus
}
#endif

#endif
