/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The solver: the way from noise to image in single steps, for predictions from wherever the host has them.
 *
 *     maskdm_solver_create(&solver, scheduler, options);      // kind "sampler"
 *     maskdm_solver_begin(solver, batch, n, x);               // x: normals, then x_T
 *     for (int64_t e = 0; e < maskdm_solver_evaluations(solver); e++) {
 *         maskdm_solver_input(solver, x, noise, input, &time);      // what the network is given and told
 *         predict(prediction, input, time);
 *         maskdm_solver_step(solver, x, prediction, noise, NULL);
 *     }
 *
 * A solver keeps what it looks back at. Arrays of images are batch x n floats, packed, n values an image; `noise` is
 * as many normals, fresh in every evaluation, where maskdm_solver_takes_noise() says so, and may be NULL elsewhere:
 * it goes to maskdm_solver_input() where noise is added before the network looks (churn), else to
 * maskdm_solver_step(). Thread safety: a solver belongs to one thread at a time.
 */
#ifndef MASKDM_SOLVER_H
#define MASKDM_SOLVER_H

#include <maskdm/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_solver maskdm_solver;

/** options: kind "sampler" (which one, its steps, spacing or times, clip, guidance ...; seed and batch_size mean
 * nothing here); NULL: the defaults. MASKDM_EINVAL for a sampler, a spacing or a time that has no meaning for the
 * scheduler's process. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_solver_create(maskdm_solver **out, maskdm_scheduler *scheduler,
                                                      const maskdm_options *options);
MASKDM_API void maskdm_solver_release(maskdm_solver **solver);
/** How often the network is asked. */
MASKDM_API int64_t maskdm_solver_evaluations(const maskdm_solver *solver);
/** How many of these take noise. */
MASKDM_API int64_t maskdm_solver_draws(const maskdm_solver *solver);
/** The time of each evaluation, in the process's own units (maskdm_scheduler_factors() takes them), at most
 * `capacity` of them. Returns their number or a negative status. The solver counts with the levels of these times but
 * for the spacings karras and linspace on process discrete, whose levels are their own (doc/solvers.md). */
MASKDM_API MASKDM_MUST_CHECK int64_t maskdm_solver_times(const maskdm_solver *solver, double *times,
                                                         int64_t capacity);

/** Begin, or begin anew, with batch x n normals in x, which become x_T: times sigma_max for process edm, say. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_solver_begin(maskdm_solver *solver, int64_t batch, int64_t n, float *x);
/** 1 when the coming evaluation takes noise, 0 when it takes none or all are done. */
MASKDM_API int maskdm_solver_takes_noise(const maskdm_solver *solver);
/** Before the network: x gains noise where the solver adds it here; input (may be NULL) receives what the network is
 * to be given, and time (may be NULL) what it is to be told. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_solver_input(maskdm_solver *solver, float *x, const float *noise,
                                                     float *input, double *time);
/** How far the coming evaluation is guided: the option `guidance`, or 1, which is no guidance and asks for no second
 * prediction, outside of guidance_low .. guidance_high. NaN for NULL. */
MASKDM_API double maskdm_solver_guidance(const maskdm_solver *solver);
/** Between the network and the step: prediction becomes weaker + guidance (prediction - weaker), in the first
 * guidance_channels of each pixel's `channels` (all, where that option is 0), and stays what it is where
 * maskdm_solver_guidance() is 1. weaker: what the network says without the label, or another network says, of the
 * same input; both in the scheduler's meaning. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_solver_guide(const maskdm_solver *solver, int64_t channels,
                                                     float *prediction, const float *weaker);
/** Where sampler ddpm has variance=learned_range: what the network says of the variance of the coming step, as many
 * values as it predicts, of which -1 stands for the least variance and 1 for the most (the second half of the
 * channels of one that was made with learn_sigma). Borrowed until the step. MASKDM_EINVAL with any other sampler or
 * variance. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_solver_set_variance(maskdm_solver *solver, const float *says);
/** After it: x becomes the x of the next evaluation, in the end the image, in -1 .. 1 units. prediction: the
 * network's output. x0 (may be NULL) receives the predicted clean image, clipped or limited where the options `clip`
 * or `threshold` are set; unless `step_noise` of ddim says otherwise, for noise prediction the noise is not computed
 * anew from the clipped x0, and for others it is, as the authors of DDPM and DDIM do.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_solver_step(maskdm_solver *solver, float *x, const float *prediction,
                                                    const float *noise, float *x0);

#ifdef __cplusplus
}
#endif

#endif
