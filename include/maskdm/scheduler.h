/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler: noise schedule, prediction type, and the arithmetic of the diffusion process forward (adding noise)
 * and backward (a sampler's step).
 *
 * T timesteps, t in 0 .. T-1, abar_t = prod (1 - beta). x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps.
 * Schedules: linear, betas from 1e-4 1000/T to 2e-2 1000/T (Ho et al. 2020, scaled); cosine with s = 0.008 and betas
 * at most 0.999 (Nichol and Dhariwal 2021, eq. 17); shifted_cosine, abar' = sigmoid(ln((64/d)^2 abar/(1-abar)))
 * before the division by its value at 0 (Hoogeboom et al. 2023). Prediction: noise, x0, or v = sqrt(abar) eps -
 * sqrt(1-abar) x0 (Salimans and Ho 2022).
 *
 * Arrays of images are batch x n floats, packed; n = height * width * channels.
 * Thread safety: immutable, so calls on several threads may share one. No callback runs while it is read: another
 * thread must not be reading it when its last reference goes.
 */
#ifndef MASKDM_SCHEDULER_H
#define MASKDM_SCHEDULER_H

#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_scheduler maskdm_scheduler;

/** options: kind "scheduler"; NULL: the defaults. So it is with every `sampler` below. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_create(maskdm_scheduler **out, const maskdm_options *options);
MASKDM_API void maskdm_scheduler_release(maskdm_scheduler **scheduler);
MASKDM_API int64_t maskdm_scheduler_timesteps(const maskdm_scheduler *scheduler);
/** "noise", "x0" or "v". */
MASKDM_API const char *maskdm_scheduler_prediction(const maskdm_scheduler *scheduler);
/** A table of T doubles: "betas", "alphas_cumprod", "posterior_variance", "posterior_mean_coef1",
 *  "posterior_mean_coef2". count must be T. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_table(const maskdm_scheduler *scheduler, const char *name,
                                                        double *out, int64_t count);

/* ---- forward ---- */

/** Times (whole numbers in 0 .. T-1) and noise for images first .. first + count - 1 of the run's stream at `step`.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_draw_times(const maskdm_scheduler *scheduler, uint64_t seed,
                                                             int64_t first, int64_t step, int64_t count,
                                                             double *times);
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_draw_noise(const maskdm_scheduler *scheduler, uint64_t seed,
                                                             int64_t first, int64_t step, int64_t count, int64_t n,
                                                             float *noise);
/** x_t, and what the network should predict for it. times[batch] must be whole numbers in 0 .. T-1. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_add_noise(const maskdm_scheduler *scheduler, int64_t batch,
                                                            int64_t n, const float *x0, const float *noise,
                                                            const double *times, float *x_t);
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_target(const maskdm_scheduler *scheduler, int64_t batch, int64_t n,
                                                         const float *x0, const float *noise, const double *times,
                                                         float *target);

/* ---- backward: a sampler of kind "sampler" (ddpm, ddim, dpmpp) in single steps ---- */

/** The times that the sampler visits, from noise to image: S + 1 values; the last is no input of the network. Returns
 * S, or a negative status; writes at most `capacity`. DDIM: linspace(-1, T-1, steps+1) truncated, reversed;
 * DDPM: T-1, ..., 0, -1; DPM-Solver++: T-1 .. 0 in `steps` even steps of time or of the log signal-to-noise ratio,
 * not rounded. */
MASKDM_API MASKDM_MUST_CHECK int64_t maskdm_scheduler_times(const maskdm_scheduler *scheduler,
                                                            const maskdm_options *sampler, double *times,
                                                            int64_t capacity);
/**
 * One step from times[i] to times[i+1], in place on x[batch,n]. prediction: the network's output for x at times[i].
 * noise: batch x n normals, unused (may be NULL) in the last step and by DDIM at eta 0. x0 (may be NULL) receives the
 * predicted clean image, clipped as the sampler's `clip` says: for noise prediction the noise is not computed anew
 * from the clipped x0, for x0 and v it is, as the authors do (Song et al. 2021, eq. 12; Ho et al. 2020, eq. 7).
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_step(const maskdm_scheduler *scheduler,
                                                       const maskdm_options *sampler, double time, double next_time,
                                                       int64_t batch, int64_t n, float *x, const float *prediction,
                                                       const float *noise, float *x0);
/**
 * The same for a sampler that looks back one step, DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2):
 * `before` is times[i-1] and x0_before the x0 that its step gave; -1 and NULL in the first step, which is of first
 * order, as every dpmpp step of maskdm_scheduler_step() is. Others ignore both. x0 may not be x0_before.
 */
MASKDM_API MASKDM_MUST_CHECK int
maskdm_scheduler_step_after(const maskdm_scheduler *scheduler, const maskdm_options *sampler, double before,
                            const float *x0_before, double time, double next_time, int64_t batch, int64_t n, float *x,
                            const float *prediction, const float *noise, float *x0);

#ifdef __cplusplus
}
#endif

#endif
