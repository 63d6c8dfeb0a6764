/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler: a diffusion process, what the network predicts in it, and how much each level of noise counts in the
 * loss; and the arithmetic of training. Single steps of sampling are maskdm/solver.h.
 *
 * At time t there is x_t = signal(t) x0 + noise(t) eps, with eps unit normals. Processes, and their times from least
 * to most noise:
 *
 *     discrete   0 .. T-1, whole in training, ln signal linear between: signal^2 = abar_t = prod (1 - beta),
 *                noise^2 = 1 - abar_t; -1 stands for the image. Schedules: linear, betas from 1e-4 1000/T to
 *                2e-2 1000/T (Ho et al. 2020, scaled) or between ends of one's own; scaled_linear, their square roots
 *                on a line; cosine with s = 0.008 and betas at most 0.999 (Nichol and Dhariwal 2021, eq. 17);
 *                shifted_cosine, abar' = sigmoid(ln((64/d)^2 abar/(1-abar))) before the division by its value at 0
 *                (Hoogeboom et al. 2023); sigmoid, 1 - abar on a sigmoid (Jabri et al. 2022, as
 *                denoising-diffusion-pytorch has it); sigmoid_betas, betas on a sigmoid (Xu et al. 2022); laplace
 *                (Hang and Gu 2024); given, betas of the host's. With zero_terminal_snr sqrt(abar) is then shifted
 *                and scaled so that its first stays and its last is 0 (Lin et al. 2024), for predictions other than
 *                noise
 *     vp         0 .. 1: signal^2 = exp(-9.95 t^2 - 0.1 t), noise^2 = 1 - signal^2 (Song et al. 2021), from 1e-5 on;
 *                or ln(signal/noise)^2 = -2 ln tan(a + b t) + 2 ln(noise_d/image_d), a and b such that it runs from
 *                logsnr_max to logsnr_min before the shift (Hoogeboom et al. 2023); 0 or -1 is the image
 *     edm        sigma_min .. sigma_max: 1 and sigma = t (Karras et al. 2022); 0 is the image
 *     ve         sigma_min .. sigma_max, evenly in their logarithm in training: 1 and sigma = t (Song et al. 2021, as
 *                Karras et al. 2022 have it); 0 is the image
 *     flow       0 .. 1: 1 - t and noise_scale t (Lipman et al. 2023; Liu et al. 2023), or, for gvp, cos(pi t/2) and
 *                sin(pi t/2), or those of vp (Ma et al. 2024); 0 is the image
 *
 * Predictions, what the network's output F is meant to be: noise, x0; v = signal eps - noise x0 (Salimans and Ho
 * 2022; discrete, vp); edm, the preconditioned form (edm); ve, minus the noise (ve); score = -eps/noise (vp, ve,
 * flow); velocity, what signal x0 + noise eps grows by in a unit of time, which on the straight path is noise_scale
 * eps - x0, or its opposite where flow_time is data (flow). Those of noise and score keep 0.001 off the ends of
 * flow's times where there is no noise, or nothing else.
 *
 * Weights, a factor of |F - target|^2: none (1), noise, x0, v (the error that F leaves in these; v's is that of the
 * velocity in flow), min_snr (Hang et al. 2023), p2 (Choi et al. 2022), edm (Karras et al. 2022), sigmoid (Hoogeboom
 * et al. 2024), likelihood, the error of the noise times how fast ln(noise/signal) grows (Song et al. 2021; vp,
 * flow), sigma_sqrt and cosmap (Esser et al. 2024; flow).
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

/** options: kind "scheduler"; NULL: the defaults. MASKDM_EINVAL for a prediction that has no meaning for the
 * process. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_create(maskdm_scheduler **out, const maskdm_options *options);
MASKDM_API void maskdm_scheduler_release(maskdm_scheduler **scheduler);
/** "discrete" and so on; NULL for NULL. */
MASKDM_API const char *maskdm_scheduler_process(const maskdm_scheduler *scheduler);
/** "noise" and so on, the process's own where the option was auto; NULL for NULL. */
MASKDM_API const char *maskdm_scheduler_prediction(const maskdm_scheduler *scheduler);
/** The times of least and most noise at which the network is asked. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_range(const maskdm_scheduler *scheduler, double *first,
                                                        double *last);
/** A table of the discrete process: "betas", "alphas_cumprod", "posterior_variance", "posterior_mean_coef1",
 *  "posterior_mean_coef2"; at most `capacity` values of it. Returns its length, which is T, or a negative status:
 *  MASKDM_ENOTFOUND for other names and other processes. */
MASKDM_API MASKDM_MUST_CHECK int64_t maskdm_scheduler_table(const maskdm_scheduler *scheduler, const char *name,
                                                            double *out, int64_t capacity);

/**
 * Times and noise for images first .. first + count - 1 of the run's stream at `step`. How times are drawn (option
 * time_draw): uniform, even in time, in edm and ve in ln sigma; log_normal, ln(noise/signal) normal, which is edm's
 * own; logit_normal, the logit of the share of the way to the most noise normal, flow's own; mode (both Esser et al.
 * 2024). Each by itself, of (seed, place in the stream, step); or (time_spread even) from numbers that cover 0 .. 1
 * over any images in a row, the fractional parts of u(seed) + place / golden ratio: neither the batch's size, nor how
 * it is cut into parts, nor threads change them.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_draw_times(const maskdm_scheduler *scheduler, uint64_t seed,
                                                             int64_t first, int64_t step, int64_t count,
                                                             double *times);
/** The times that come from random numbers of the host's: normal ones of log_normal and logit_normal, else 0 .. 1.
 *  MASKDM_EINVAL for others. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_times_of(const maskdm_scheduler *scheduler, int64_t count,
                                                           const double *numbers, double *times);
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_draw_noise(const maskdm_scheduler *scheduler, uint64_t seed,
                                                             int64_t first, int64_t step, int64_t count, int64_t n,
                                                             float *noise);
/**
 * A number for each time. name:
 *     "signal", "noise"                    x_t = signal x0 + noise eps
 *     "input_scale", "network_time"        the network is given input_scale x_t, and told network_time
 *     "target_x0", "target_noise"          F should be target_x0 x0 + target_noise eps
 *     "denoised_x_t", "denoised_output"    x0 = denoised_x_t x_t + denoised_output F
 *     "loss_weight"                        of |F - target|^2
 * MASKDM_ENOTFOUND for other names; MASKDM_EINVAL for times outside the process's range.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_factors(const maskdm_scheduler *scheduler, const char *name,
                                                          int64_t batch, const double *times, double *out);
/** x_t; what the network should predict for it; and the x0 that follows from what it did. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_add_noise(const maskdm_scheduler *scheduler, int64_t batch,
                                                            int64_t n, const float *x0, const float *noise,
                                                            const double *times, float *x_t);
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_target(const maskdm_scheduler *scheduler, int64_t batch, int64_t n,
                                                         const float *x0, const float *noise, const double *times,
                                                         float *target);
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_denoised(const maskdm_scheduler *scheduler, int64_t batch,
                                                           int64_t n, const float *x_t, const float *prediction,
                                                           const double *times, float *x0);

/**
 * Consistency tuning (Geng et al. 2024), for a loop of one's own. options: kind "consistency", NULL for the defaults.
 * Of normal numbers, the times at which the network is trained and those below, at which it teaches itself in this
 * stage (0 for the first): as noise-to-signal ratios t = exp(mean + std number) and r = max(t (1 - (1 + k sigmoid(-b
 * t)) / q^(stage + 1)), 0), without the factor for mapping const. t is kept within the process's times, and whole in
 * a discrete one; r below them is the time of the image, at which no network is asked. MASKDM_EINVAL for a stage
 * outside 0 .. stages - 1.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_consistency_times(const maskdm_scheduler *scheduler,
                                                                    const maskdm_options *options, int64_t stage,
                                                                    int64_t count, const double *numbers,
                                                                    double *times, double *below);
/**
 * Its loss: (sqrt(|D_t - D_r|^2 + c^2) - c) / (t - r) of an image, c the option huber, D the x0 that follows from
 * what the network said of the same x0 and noise at both times (output, output_below; where the time below is the
 * image's, D_r is x0 and output_below is not read). losses[batch]: each image's, may be NULL. gradient: of their mean
 * by output, output_below standing still, may be NULL.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_scheduler_consistency_loss(const maskdm_scheduler *scheduler,
                                                                   const maskdm_options *options, int64_t batch,
                                                                   int64_t n, const float *x0, const float *noise,
                                                                   const double *times, const double *below,
                                                                   const float *output, const float *output_below,
                                                                   double *losses, float *gradient);

#ifdef __cplusplus
}
#endif

#endif
