/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DDPM by the variance that a network says: against a host's own loop with maskdm_solver, guided and not, whole and
 * in part; and who is refused it.
 */
#include "rig.h"

enum { H = 8, W = 12, C = 3, N = H * W * C, COUNT = 3, STEPS = 5 };

#define NETWORK "image_size=8x12 channels=3 patch_size=2 classes=2 "
#define UNET NETWORK "block_out_channels=8,8 norm_num_groups=4 layers_per_block=1 "
#define LEARNED "sampler=ddpm steps=5 clip=false variance=learned_range "

static maskdm_model *model_of(maskdm_device *device, const char *network, const char *text)
{
    maskdm_options *o = rig_options(network, text), *so = rig_options("scheduler", "timesteps=50 schedule=linear");
    maskdm_scheduler *s;
    maskdm_model *m;

    MUST(maskdm_scheduler_create(&s, so));
    MUST(maskdm_model_create(&m, device, network, o, s, 5));
    maskdm_scheduler_release(&s);
    maskdm_options_release(&o);
    maskdm_options_release(&so);
    return m;
}

/* Weights that were drawn begin as zeros in places: with these nothing is. */
static void stir(maskdm_model *m)
{
    static float value[1 << 16];

    for (int64_t i = 0; i < maskdm_model_parameter_count(m); i++) {
        int64_t shape[8], n = 1;
        const int rank = maskdm_model_parameter_shape(m, i, shape, 8);

        for (int k = 0; k < rank; k++)
            n *= shape[k];
        ck_assert_int_le(n, 1 << 16);
        for (int64_t k = 0; k < n; k++)
            value[k] = (float)((k * 7919 + i * 104729) % 2003) / 10015 - 0.1f;
        MUST(maskdm_model_set_parameter(m, MASKDM_WEIGHTS_EMA, i, value, n));
    }
}

static void fill(float *x, int64_t n, int seed)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)((i * 37 + seed * 11) % 101) / 29 - 1.7f;
}

/* The first half of a prediction's channels, and the other. */
static void split(const float *both, float *first, float *second)
{
    for (int i = 0; i < H * W; i++)
        for (int c = 0; c < C; c++) {
            first[i * C + c] = both[i * 2 * C + c];
            second[i * C + c] = both[i * 2 * C + C + c];
        }
}

static void ask(maskdm_model *m, const float *x, const double *time, int32_t label, float *prediction,
                float *variance)
{
    static float both[2 * N];

    MUST(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, time, &label, NULL, 0, both));
    split(both, prediction, variance);
}

/* One image; what is guided is the prediction alone. */
static void loop(maskdm_model *m, const char *text, int32_t label, float *x, const float *noise)
{
    static float prediction[N], weaker[N], variance[N], unused[N];
    maskdm_options *o = rig_options("sampler", text);
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    double times[STEPS];

    MUST(maskdm_model_scheduler(&scheduler, m));
    MUST(maskdm_solver_create(&solver, scheduler, o));
    MUST(maskdm_solver_times(solver, times, STEPS));
    MUST(maskdm_solver_begin(solver, 1, N, x));
    for (int e = 0; e < STEPS; e++) {
        MUST(maskdm_solver_input(solver, x, NULL, NULL, NULL));
        ask(m, x, times + e, label, prediction, variance);
        if (maskdm_solver_guidance(solver) != 1) {
            ask(m, x, times + e, -1, weaker, unused);
            MUST(maskdm_solver_guide(solver, C, prediction, weaker));
        }
        if (maskdm_solver_takes_noise(solver)) {
            ck_assert_int_eq(maskdm_solver_step(solver, x, prediction, noise, NULL), MASKDM_EINVAL);
            ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "needs what the network says of its variance"));
        }
        MUST(maskdm_solver_set_variance(solver, variance));
        MUST(maskdm_solver_step(solver, x, prediction, maskdm_solver_takes_noise(solver) ? noise : NULL, NULL));
        noise += N;
    }
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&o);
}

static void expect_loop(maskdm_model *m, const char *text)
{
    static float x[COUNT * N], hand[N], noise[STEPS * COUNT * N], own[STEPS * N];
    static const int32_t labels[COUNT] = {1, 0, -1};
    maskdm_sampler *s = rig_sampler(m, text);

    fill(x, COUNT * N, 1);
    fill(noise, STEPS * COUNT * N, 2);
    memcpy(hand, x + N, sizeof hand);
    for (int e = 0; e < STEPS; e++)
        memcpy(own + e * N, noise + (e * COUNT + 1) * N, N * sizeof *own);
    loop(m, text, labels[1], hand, own);
    MUST(maskdm_sampler_run_from(s, COUNT, x, noise, labels));
    ck_assert_mem_eq(x + N, hand, sizeof hand);
    maskdm_sampler_release(&s);
}

START_TEST(the_network_says_how_much_noise)
{
    static float learned[N], fixed[N];
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *unet = model_of(d, "unet", UNET "learn_sigma=true");
    maskdm_model *dit = model_of(d, "dit", NETWORK "dim=16 depth=2 heads=2 learn_sigma=true");
    maskdm_sampler *s;

    stir(dit);
    for (int i = 0; i < 2; i++) {
        maskdm_model *m = i ? unet : dit;

        expect_loop(m, LEARNED);
        expect_loop(m, LEARNED "guidance=2");
        expect_loop(m, LEARNED "guidance=2 guidance_by=auto batch_size=2 spacing=leading");
        s = rig_sampler(m, LEARNED);
        MUST(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_FLOAT, learned, 0, 0));
        maskdm_sampler_release(&s);
        s = rig_sampler(m, "sampler=ddpm steps=5 clip=false");
        MUST(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_FLOAT, fixed, 0, 0));
        ck_assert_mem_ne(learned, fixed, sizeof fixed);
        maskdm_sampler_release(&s);
    }
    maskdm_model_release(&dit);
    maskdm_model_release(&unet);
    maskdm_device_release(&d);
}
END_TEST

/* A hole whose surround is the whole picture asks patch by patch for what the whole image is asked for. */
START_TEST(a_part_says_as_much)
{
    static unsigned char data[N], mask[H * W], part[N], whole[N];
    maskdm_options *o = rig_options("inpaint", "surround=1"), *all = rig_options("inpaint", "");
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *m = model_of(d, "dit", NETWORK "dim=16 depth=2 heads=2 learn_sigma=true");
    maskdm_sampler *s = rig_sampler(m, LEARNED);
    maskdm_image *image, *hole;

    stir(m);
    for (int i = 0; i < H * W; i++)
        mask[i] = i % 2 ? 255 : 0; /* in every patch */
    MUST(maskdm_image_create(&image, H, W, C, MASKDM_SAMPLE_U8, data, 0));
    MUST(maskdm_image_create(&hole, H, W, 1, MASKDM_SAMPLE_U8, mask, 0));
    MUST(maskdm_sampler_set_hole(s, (const maskdm_image *const[]){image}, 1, hole, all));
    MUST(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_U8, whole, 0, 0));
    maskdm_image_release(&hole);
    for (int i = 0; i < H * W; i++)
        mask[i] = i % W < 4 ? 255 : 0; /* the last columns are too far off */
    MUST(maskdm_image_create(&hole, H, W, 1, MASKDM_SAMPLE_U8, mask, 0));
    MUST(maskdm_sampler_set_hole(s, (const maskdm_image *const[]){image}, 1, hole, o));
    MUST(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_U8, part, 0, 0));
    ck_assert_mem_ne(part, whole, sizeof whole);
    for (int i = 0; i < N; i++)
        ck_assert(i / C % W < 4 || part[i] == data[i]);
    maskdm_image_release(&image);
    maskdm_image_release(&hole);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
    maskdm_device_release(&d);
    maskdm_options_release(&all);
    maskdm_options_release(&o);
}
END_TEST

static int denoise(void *user, int64_t count, const float *x, double time, const int32_t *labels, float *prediction)
{
    (void)user;
    (void)time;
    (void)labels;
    memcpy(prediction, x, (size_t)count * N * sizeof *x);
    return 0;
}

START_TEST(who_says_none_is_refused)
{
    static const char none[] = "variance learned_range needs a network that says a variance, made with learn_sigma; ";
    maskdm_options *o = rig_options("sampler", LEARNED), *so = rig_options("scheduler", "timesteps=50");
    maskdm_options *fixed = rig_options("sampler", "sampler=ddpm steps=5");
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *m = model_of(d, "dit", NETWORK "dim=16 depth=1 heads=2");
    float x[4] = {0};
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    maskdm_sampler *s;

    ck_assert_int_eq(maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, o, NULL), MASKDM_EINVAL);
    ck_assert_ptr_eq(strstr(maskdm_last_error(), none), maskdm_last_error());
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "this one does not"));
    MUST(maskdm_scheduler_create(&scheduler, so));
    ck_assert_int_eq(maskdm_sampler_create_custom(&s, d, scheduler, H, W, C, 0, denoise, NULL, NULL, o, NULL),
                     MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "a function of the host does not"));
    MUST(maskdm_solver_create(&solver, scheduler, fixed));
    MUST(maskdm_solver_begin(solver, 1, 4, x));
    MUST(maskdm_solver_input(solver, x, NULL, NULL, NULL));
    ck_assert_int_eq(maskdm_solver_set_variance(solver, x), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(),
                     "ddpm has no use for a variance here; it takes variance=learned_range of ddpm");
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_model_release(&m);
    maskdm_device_release(&d);
    maskdm_options_release(&fixed);
    maskdm_options_release(&so);
    maskdm_options_release(&o);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_network_says_how_much_noise, a_part_says_as_much, who_says_none_is_refused};

    return rig_run("variance", tests, sizeof tests / sizeof *tests);
}
