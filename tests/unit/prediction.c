/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Processes, predictions and weights: each prediction leads back to the image that it came from, a level of noise to
 * its time, and the public calls say what the formulas say.
 */
#include "diffusion/prediction.h"

#include "base/error.h"
#include "base/format.h"
#include "diffusion/scheduler.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static maskdm_scheduler *make(const char *text)
{
    maskdm_options *o;
    maskdm_scheduler *s;

    ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    ck_assert_msg(maskdm_scheduler_create(&s, o) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    maskdm_options_release(&o);
    return s;
}

/* Every prediction that a process has, with the times from one end to the other. */
static const char *const all[] = {"process=discrete prediction=noise",
                                  "process=discrete prediction=x0",
                                  "process=discrete prediction=v",
                                  "process=vp prediction=noise",
                                  "process=vp prediction=x0",
                                  "process=vp prediction=v",
                                  "process=vp vp_shape=cosine image_d=256 noise_d=64",
                                  "process=vp vp_shape=cosine prediction=v",
                                  "process=discrete zero_terminal_snr=true prediction=v",
                                  "process=discrete schedule=laplace prediction=x0 timesteps=40",
                                  "process=edm",
                                  "process=edm prediction=noise sigma_data=0.3",
                                  "process=edm prediction=x0",
                                  "process=flow",
                                  "process=flow flow_time=data noise_scale=2",
                                  "process=flow prediction=x0 noise_scale=2",
                                  "process=flow prediction=noise",
                                  "process=flow flow_path=gvp",
                                  "process=flow flow_path=gvp flow_time=data prediction=noise",
                                  "process=flow flow_path=vp flow_time=data",
                                  "process=flow flow_path=vp prediction=score",
                                  "process=flow prediction=score",
                                  "process=vp prediction=score",
                                  "process=ve",
                                  "process=ve prediction=score",
                                  "process=ve prediction=noise",
                                  "process=ve prediction=x0 sigma_min=0.5 sigma_max=3"};

START_TEST(clean_undoes_target)
{
    const double x0 = 0.3, eps = -1.7;

    for (size_t i = 0; i < MDM_LENGTH(all); i++) {
        maskdm_scheduler *s = make(all[i]);
        double first, last;

        ck_assert_int_eq(maskdm_scheduler_range(s, &first, &last), MASKDM_OK);
        for (int k = 0; k <= 8; k++) {
            const struct mdm_facts f = mdm_scheduler_facts(s, first + (last - first) * k / 8);
            const double x_t = f.level.signal * x0 + f.level.noise * eps;
            const double output = f.target.a * x0 + f.target.b * eps;

            ck_assert_msg(fabs(f.clean.a * x_t + f.clean.b * output - x0) < 1e-9 / fmax(f.level.signal, 1e-6),
                          "%s: part %d of the times gives %g", all[i], k, f.clean.a * x_t + f.clean.b * output);
        }
        maskdm_scheduler_release(&s);
    }
}
END_TEST

START_TEST(forward)
{
    maskdm_scheduler *s = make("schedule=linear timesteps=100 prediction=v");
    const float x0[4] = {1, -1, 0.5f, 0}, noise[4] = {0.5f, 2, -1, 1};
    const double times[2] = {0, 99}, bad[2] = {0, 99.5};
    float x_t[4], target[4];
    double abar[100];

    ck_assert_str_eq(maskdm_scheduler_prediction(s), "v");
    ck_assert_str_eq(maskdm_scheduler_process(s), "discrete");
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, 100), 100);
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, 2, 2, x0, noise, times, x_t), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_target(s, 2, 2, x0, noise, times, target), MASKDM_OK);
    for (int i = 0; i < 4; i++) {
        const double a = abar[(int)times[i / 2]], x = x0[i], e = noise[i];

        ck_assert_double_eq_tol(x_t[i], sqrt(a) * x + sqrt(1 - a) * e, 1e-6);
        ck_assert_double_eq_tol(target[i], sqrt(a) * e - sqrt(1 - a) * x, 1e-6);
    }
    x_t[0] = 7;
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, 2, 2, x0, noise, bad, x_t), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "time 99.5 is outside 0 .. 99 of process discrete");
    ck_assert_float_eq(x_t[0], 7);
    abar[1] = 7;
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, 1), 100);
    ck_assert_double_eq(abar[1], 7);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas", abar, 100), MASKDM_ENOTFOUND);
    maskdm_scheduler_release(&s);
}
END_TEST

/* Draws depend on the image's place in the run's stream, not on the call that it falls in. */
START_TEST(draws)
{
    enum { COUNT = 4000, N = 6 };
    maskdm_scheduler *s = make("timesteps=50");
    double times[COUNT], one, sum = 0, squares = 0;
    float noise[COUNT * N], part[N];
    int seen[50] = {0};

    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 3, 0, 1, COUNT, times), MASKDM_OK);
    for (int i = 0; i < COUNT; i++)
        if (times[i] >= 0 && times[i] <= 49 && floor(times[i]) == times[i])
            seen[(int)times[i]]++;
    for (int t = 0; t < 50; t++)
        ck_assert_msg(abs(seen[t] - COUNT / 50) < 60, "time %d drawn %d times", t, seen[t]);
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 3, 17, 1, 1, &one), MASKDM_OK);
    ck_assert_double_eq(one, times[17]);
    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 3, 0, 1, COUNT, N, noise), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 3, 17, 1, 1, N, part), MASKDM_OK);
    ck_assert_mem_eq(part, noise + 17 * N, sizeof part);
    for (int i = 0; i < COUNT * N; i++) {
        sum += noise[i];
        squares += (double)noise[i] * noise[i];
    }
    ck_assert_double_eq_tol(sum / (COUNT * N), 0, 0.04);
    ck_assert_double_eq_tol(squares / (COUNT * N), 1, 0.06);
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 3, -1, 1, 1, &one), MASKDM_EINVAL);
    maskdm_scheduler_release(&s);
}
END_TEST

static void refuse(const char *text, const char *line)
{
    maskdm_scheduler *s;
    maskdm_options *o;

    ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    ck_assert_int_eq(maskdm_scheduler_create(&s, o), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), line);
    ck_assert_ptr_null(s);
    maskdm_options_release(&o);
}

START_TEST(refusals)
{
    maskdm_scheduler *s;
    maskdm_options *o;

    ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "schedule=linear timesteps=20"), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_create(&s, o), MASKDM_EINVAL);
    ck_assert_ptr_null(s);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_options_create(&o, "mask"), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_create(&s, o), MASKDM_EINVAL);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "process=edm prediction=v"), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_create(&s, o), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "prediction v has no meaning for process edm, which takes edm|noise|x0");
    ck_assert_int_eq(maskdm_options_parse(o, "prediction=edm sigma_min=3 sigma_max=2"), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_create(&s, o), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "sigma_min 3 is not below sigma_max 2");
    maskdm_options_release(&o);
    refuse("process=discrete weight=likelihood",
           "weight likelihood has no meaning for process discrete: it is for vp and flow, whose noise grows "
           "continuously");
    refuse("process=edm weight=cosmap",
           "weight cosmap has no meaning for process edm: it is for flow, whose noise is a share");
    refuse("process=ve sigma_min=2 sigma_max=2", "sigma_min 2 is not below sigma_max 2");
    refuse("process=edm prediction=score",
           "prediction score has no meaning for process edm, which takes edm|noise|x0");
    refuse("process=vp vp_beta_min=3 vp_beta_max=2", "vp_beta_min 3 is above vp_beta_max 2");
    refuse("process=vp vp_shape=cosine logsnr_min=2 logsnr_max=2", "logsnr_min 2 is not below logsnr_max 2");
    for (size_t i = 0; i < 4; i++) {
        static const char *const sides[] = {"noise_d=64", "image_d=64", "image_d=64 noise_d_low=32",
                                            "image_d=64 noise_d=64 noise_d_low=32 noise_d_high=64"};
        char text[128];

        mdm_format(text, sizeof text, "process=vp vp_shape=cosine %s", sides[i]);
        refuse(text, "a shift of the noise needs image_d with noise_d, or with noise_d_low and noise_d_high");
    }
    refuse("process=vp vp_shape=cosine image_d=64 noise_d_low=64 noise_d_high=32",
           "noise_d_low 64 is above noise_d_high 32");
    ck_assert_int_eq(maskdm_scheduler_create(&s, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, 1, 1, NULL, NULL, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, INT64_MAX, 2, NULL, NULL, NULL, NULL), MASKDM_EINVAL);
    maskdm_scheduler_release(&s);
}
END_TEST

/* What each weight is of the error that it is named for, at a level where everything can be said by hand. */
START_TEST(weights)
{
    const struct {
        const char *options;
        double weight;
    } cases[] = {{"process=flow prediction=velocity weight=none", 1},
                 {"process=flow prediction=velocity weight=v", 1},
                 {"process=flow prediction=x0 weight=v", 16}, /* 1 / t^2 */
                 {"process=flow prediction=x0 weight=v weight_floor=0.5", 4},
                 {"process=flow prediction=x0 weight=noise", 9}, /* SNR = (0.75 / 0.25)^2 */
                 {"process=flow prediction=noise weight=noise", 1},
                 {"process=flow prediction=noise weight=x0", 1.0 / 9},
                 {"process=flow prediction=noise weight=v", 16.0 / 9}, /* 1 / (1 - t)^2, as SiT has it */
                 {"process=flow prediction=x0 weight=min_snr weight_gamma=5", 5},
                 {"process=flow prediction=noise weight=min_snr weight_gamma=5", 5.0 / 9},
                 {"process=flow prediction=x0 weight=p2 weight_gamma=1 weight_offset=1", 0.1},
                 {"process=flow prediction=noise weight=p2 weight_gamma=0.5 weight_offset=7", 0.25},
                 {"process=edm weight=edm", 1},
                 {"process=edm weight=x0", 0.05 * 1}, /* c_out^2 = (sigma sigma_data)^2 / (sigma^2 + sigma_data^2) */
                 {"process=edm prediction=x0 weight=edm", 20},
                 {"process=flow prediction=noise weight=sigmoid weight_offset=0", 0.1},
                 {"process=flow prediction=noise weight=likelihood", 1 / (0.25 * 0.75)}, /* of ln(t / (1 - t)) */
                 {"process=flow prediction=score weight=noise", 0.0625},
                 {"process=flow weight=sigma_sqrt", 16},
                 {"process=flow weight=sigma_sqrt weight_floor=0.5 noise_scale=3", 4},
                 {"process=flow weight=cosmap noise_scale=3", 2 / (acos(-1) * 0.625)},
                 /* (sigma d alpha / alpha - d sigma)^2 and (d alpha / alpha - d sigma / sigma), the angle pi / 8 */
                 {"process=flow flow_path=gvp prediction=noise weight=v", pow(acos(-1) / 2 / cos(acos(-1) / 8), 2)},
                 {"process=flow flow_path=gvp prediction=noise weight=likelihood", acos(-1) / sin(acos(-1) / 4)},
                 {"process=vp prediction=noise weight=likelihood",
                  (0.1 + 19.9 * 0.25) / 2 / -expm1(-(9.95 * 0.25 + 0.1) * 0.25)},
                 {"process=ve", 1},
                 {"process=ve prediction=x0 weight=noise", 16},
                 {"process=ve prediction=score weight=noise", 0.0625}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        maskdm_scheduler *s = make(cases[i].options);
        const double time = 0.25;
        double weight;

        ck_assert_int_eq(maskdm_scheduler_factors(s, "loss_weight", 1, &time, &weight), MASKDM_OK);
        ck_assert_msg(fabs(weight - cases[i].weight) < 1e-12, "%s: %.17g", cases[i].options, weight);
        maskdm_scheduler_release(&s);
    }
}
END_TEST

/* Slopes are what differences over time say, and the path is one whose slope is (y - x0) / at. */
START_TEST(slopes)
{
    static const char *const processes[] = {"process=flow noise_scale=2", "process=flow flow_path=gvp",
                                            "process=flow flow_path=vp", "process=vp",
                                            "process=vp vp_shape=cosine image_d=64 noise_d_low=16 noise_d_high=32"};

    for (size_t i = 0; i < MDM_LENGTH(processes); i++) {
        maskdm_scheduler *s = make(processes[i]);
        const struct mdm_process *p = s->process;

        for (double time = 0.1; time < 0.95; time += 0.1) {
            const double h = 1e-5, x0 = 0.7, eps = -1.3;
            const struct mdm_level at = mdm_process_at(p, time), slope = p->kind->slope(p, at);
            const struct mdm_level a = mdm_process_at(p, time - h), b = mdm_process_at(p, time + h);
            const struct mdm_path from = mdm_process_path(p, time - h, a), to = mdm_process_path(p, time + h, b);
            const struct mdm_path here = mdm_process_path(p, time, at);
            const double y = (at.signal * x0 + at.noise * eps) / here.scale;
            const double change =
                (b.signal * x0 + b.noise * eps) / to.scale - (a.signal * x0 + a.noise * eps) / from.scale;

            ck_assert_msg(fabs((b.signal - a.signal) / (2 * h) - slope.signal) < 1e-6, "%s: signal at %g",
                          processes[i], time);
            ck_assert_msg(fabs((b.noise - a.noise) / (2 * h) - slope.noise) < 1e-6, "%s: noise at %g", processes[i],
                          time);
            ck_assert_msg(fabs(change / (to.at - from.at) - (y - x0) / here.at) < 1e-5, "%s: path at %g",
                          processes[i], time);
        }
        maskdm_scheduler_release(&s);
    }
}
END_TEST

/* Where the noise or the score is predicted times keep off the ends, as SiT's do. */
START_TEST(ends_are_left)
{
    static const struct {
        const char *options;
        double first, last;
    } cases[] = {{"process=flow", 0, 1},
                 {"process=flow prediction=noise", 0.001, 0.999},
                 {"process=flow flow_path=gvp prediction=score", 0.001, 0.999},
                 {"process=flow flow_path=vp prediction=noise", 1e-5, 1},
                 {"process=vp prediction=score", 1e-5, 1},
                 {"process=ve", 0.02, 100}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        maskdm_scheduler *s = make(cases[i].options);
        double first, last;

        ck_assert_int_eq(maskdm_scheduler_range(s, &first, &last), MASKDM_OK);
        ck_assert_msg(first == cases[i].first && last == cases[i].last, "%s: %g .. %g", cases[i].options, first,
                      last);
        maskdm_scheduler_release(&s);
    }
}
END_TEST

/* A level of noise is found again, wherever it lies. */
START_TEST(levels_have_times)
{
    static const char *const processes[] = {
        "process=discrete",
        "process=discrete schedule=linear timesteps=50",
        "process=vp",
        "process=edm",
        "process=vp vp_beta_min=20 vp_beta_max=20",
        "process=vp vp_shape=cosine logsnr_min=-9 image_d=128 noise_d=64",
        "process=vp vp_shape=cosine image_d=512 noise_d_low=32 noise_d_high=256",
        "process=discrete schedule=scaled_linear zero_terminal_snr=true prediction=v",
        "process=ve",
        "process=flow",
        "process=flow flow_path=gvp",
        "process=flow flow_path=vp",
        "process=flow noise_scale=3"};

    for (size_t i = 0; i < MDM_LENGTH(processes); i++) {
        maskdm_scheduler *s = make(processes[i]);

        for (double ratio = -3; ratio < 3; ratio += 0.37) {
            const double time = mdm_process_time_of(s->process, ratio);
            const struct mdm_level at = mdm_process_at(s->process, time);

            ck_assert_msg(fabs(log(at.noise / at.signal) - ratio) < 1e-9, "%s: %g at %g", processes[i], ratio, time);
            ck_assert_double_eq_tol(s->process->kind->ratio(s->process, time), ratio, 1e-9);
        }
        maskdm_scheduler_release(&s);
    }
}
END_TEST

/* Training's times by their distribution: the median, and a deviation. */
START_TEST(times_are_the_processes)
{
    enum { COUNT = 4000 };
    const struct {
        const char *options;
        double median, low; /* and the value below which 15.87 % are: one deviation for normal ones */
    } cases[] = {{"process=edm", 0.30119421191220214, 0.09071795328941251},
                 {"process=flow", 0.5, 0.2689414213699951},
                 {"process=flow time_draw=uniform", 0.5, 0.1587},
                 {"process=flow time_draw=uniform time_shift=3", 0.75, 0.36142},
                 {"process=ve", 1.4142135623730951, 0.02 * pow(5000, 0.1587)},
                 {"process=edm time_draw=uniform", 0.4, 0.002 * pow(40000, 0.1587)},
                 {"process=edm time_mean=0.5 time_std=2", exp(0.5), exp(-1.5)},
                 {"process=ve time_draw=logit_normal", 1.4142135623730951, 0.02 * pow(5000, 1 / (1 + exp(1)))},
                 {"process=vp time_draw=logit_normal time_mean=1", 1 / (1 + exp(-1)), 0.5},
                 {"process=flow time_draw=log_normal", 0.5, 1 / (1 + exp(1))},
                 {"process=flow time_draw=mode mode_scale=-1", 0.5,
                  0.1587 + sin(0.1587 * acos(-1) / 2) * sin(0.1587 * acos(-1) / 2) - 0.1587},
                 {"schedule=linear time_draw=logit_normal time_mean=-1", 268.5, 118.5},
                 {"process=edm time_spread=even", 0.30119421191220214, 0.09071795328941251},
                 {"process=flow time_spread=even", 0.5, 0.2689414213699951},
                 {"process=vp time_spread=even", 0.5, 0.1587},
                 {"process=vp", 0.5, 0.1587}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        maskdm_scheduler *s = make(cases[i].options);
        static double times[COUNT];
        int below = 0, low = 0;

        ck_assert_int_eq(maskdm_scheduler_draw_times(s, 5, 0, 0, COUNT, times), MASKDM_OK);
        for (int k = 0; k < COUNT; k++) {
            below += times[k] < cases[i].median;
            low += times[k] < cases[i].low;
        }
        ck_assert_msg(abs(below - COUNT / 2) < 120, "%s: %d below the median", cases[i].options, below);
        ck_assert_msg(abs(low - 635) < 90, "%s: %d far below it", cases[i].options, low);
        maskdm_scheduler_release(&s);
    }
}
END_TEST

/* Of B images in a row, wherever they begin, two in a sorted row are never further apart than 2.2 / B, and each of
 * B / 4 equal parts has some; so for every seed, and the parts of a batch are the batch. */
START_TEST(times_spread_evenly)
{
    enum { MOST = 256 };
    maskdm_scheduler *s = make("process=flow time_draw=uniform time_spread=even");
    double times[MOST], other[MOST];

    for (int64_t batch = 8; batch <= MOST; batch = batch * 3 / 2)
        for (int64_t step = 0; step < 40; step++) {
            const int64_t first = step * batch;
            double gap = 0;

            ck_assert_int_eq(maskdm_scheduler_draw_times(s, 7, first, step, batch, times), MASKDM_OK);
            ck_assert_int_eq(maskdm_scheduler_draw_times(s, 7, first, step, batch / 2, other), MASKDM_OK);
            ck_assert_int_eq(
                maskdm_scheduler_draw_times(s, 7, first + batch / 2, step, batch - batch / 2, other + batch / 2),
                MASKDM_OK);
            ck_assert_mem_eq(times, other, (size_t)batch * sizeof *times);
            for (int64_t i = 0; i < batch; i++) {
                double next = 2;

                for (int64_t k = 0; k < batch; k++) {
                    const double ahead = times[k] - times[i] + (k != i && times[k] <= times[i]);

                    next = k != i && ahead < next ? ahead : next;
                }
                gap = next > gap ? next : gap;
            }
            ck_assert_msg(gap * (double)batch < 2.2, "a gap of %g among %d at step %d", gap, (int)batch, (int)step);
        }
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 8, 0, 0, 8, other), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 7, 0, 0, 8, times), MASKDM_OK);
    ck_assert_double_ne(times[0], other[0]);
    maskdm_scheduler_release(&s);
}
END_TEST

START_TEST(times_come_from_numbers)
{
    static const struct {
        const char *options;
        double number, time;
    } cases[] = {{"timesteps=10", 0, 0},
                 {"timesteps=10", 0.69, 6},
                 {"timesteps=10", 1, 9},
                 {"timesteps=10 time_draw=logit_normal", 0, 5},
                 {"process=vp", 1, 1},
                 {"process=vp", 0, 1e-5},
                 {"process=edm time_mean=0 time_std=1", -1, 0.36787944117144233},
                 {"process=edm", 1000, 80},
                 {"process=flow time_shift=3 time_draw=uniform", 0.5, 0.75},
                 {"process=flow prediction=noise time_draw=uniform", 0, 0.001},
                 {"process=flow time_draw=mode", 0.5, 0.5}};
    maskdm_scheduler *s;
    double time, number = 1.5;

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        s = make(cases[i].options);
        ck_assert_int_eq(maskdm_scheduler_times_of(s, 1, &cases[i].number, &time), MASKDM_OK);
        ck_assert_msg(fabs(time - cases[i].time) < 1e-12, "%s: %g gives %.17g", cases[i].options, cases[i].number,
                      time);
        maskdm_scheduler_release(&s);
    }
    s = make("process=vp");
    ck_assert_int_eq(maskdm_scheduler_times_of(s, 1, &number, &time), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "number 1.5 is outside 0 .. 1, of which time_draw uniform makes times");
    number = NAN;
    ck_assert_int_eq(maskdm_scheduler_times_of(s, 1, &number, &time), MASKDM_EINVAL);
    maskdm_scheduler_release(&s);
    refuse("time_mean=1", "time_mean has no meaning for time_draw uniform");
    refuse("process=flow time_draw=mode time_std=1", "time_std has no meaning for time_draw mode");
    refuse("process=edm mode_scale=1", "mode_scale has no meaning for time_draw log_normal");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prediction");
    TCase *c = tcase_create("prediction");
    SRunner *r;
    int failed;

    tcase_add_test(c, clean_undoes_target);
    tcase_add_test(c, forward);
    tcase_add_test(c, draws);
    tcase_add_test(c, weights);
    tcase_add_test(c, levels_have_times);
    tcase_add_test(c, slopes);
    tcase_add_test(c, ends_are_left);
    tcase_add_test(c, times_are_the_processes);
    tcase_add_test(c, times_spread_evenly);
    tcase_add_test(c, times_come_from_numbers);
    tcase_add_test(c, refusals);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
