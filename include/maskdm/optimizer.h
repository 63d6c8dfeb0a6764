/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The optimizer: AdamW with decoupled decay on every parameter (Loshchilov and Hutter 2019, as PyTorch computes it),
 * linear warm-up lr min(step/warmup, 1), clipping by global norm, and the exponential moving average of the weights
 * with ema_pytorch's warm-up: copy while s <= start, then decay = min(decay, 1 - (1 + e/inv_gamma)^-power), e = s -
 * start.
 *
 * An optimizer is bound to one trainer by maskdm_trainer_create(), which gives it its state.
 * Thread safety: belongs to the trainer's thread. Each is at work while the other is (MASKDM_EBUSY).
 */
#ifndef MASKDM_OPTIMIZER_H
#define MASKDM_OPTIMIZER_H

#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_optimizer maskdm_optimizer;

/** options: kind "optimizer"; ema: kind "ema"; NULL: the defaults. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options,
                                                         const maskdm_options *ema);
MASKDM_API void maskdm_optimizer_release(maskdm_optimizer **optimizer);
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
/** The rate of all steps to come, warm-up aside, for a schedule of one's own; NaN: that of the options again.
 *  MASKDM_EINVAL for a negative or infinite one. Training states hold it. */
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
