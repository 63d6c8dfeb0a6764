/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is drawn beside new images: variations of pictures, parts of them, images between two seeds, and images that
 * the host changes on their way. Each is held to what it is by hand, and in each an image's bytes depend on its seed
 * alone.
 */
#include <maskdm/maskdm.h>

#include "base/rng.h"
#include "rig.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { H = 8, W = 12, C = 3, N = H * W * C, MANY = 5, STEPS = 6, EDGE = 5 /* pixels of a row that are known */ };

#define OK(call) ck_assert_msg((call) >= 0, "%s", maskdm_last_error())
#define REFUSED(status, call, text)                                                                                  \
    do {                                                                                                             \
        ck_assert_int_eq(call, status);                                                                              \
        ck_assert_str_eq(maskdm_last_error(), text);                                                                 \
    } while (0)

static maskdm_model *model(int threads)
{
    maskdm_options *o = rig_options("uvit", "image_size=8x12 patch_size=2 channels=3 dim=32 depth=3 heads=2"), *d;
    maskdm_options *so = rig_options("scheduler", "timesteps=50 schedule=cosine prediction=v");
    maskdm_scheduler *s;
    maskdm_device *device;
    maskdm_model *m;

    d = rig_options("device", threads == 1 ? "threads=1" : "threads=2");
    OK(maskdm_device_open(&device, "cpu", d));
    OK(maskdm_scheduler_create(&s, so));
    OK(maskdm_model_create(&m, device, "uvit", o, s, 3));
    maskdm_device_release(&device);
    maskdm_scheduler_release(&s);
    maskdm_options_release(&o);
    maskdm_options_release(&so);
    maskdm_options_release(&d);
    return m;
}

static unsigned char photo_byte(int picture, int i)
{
    return (unsigned char)(i * 29 + i / 7 * 11 + picture * 101);
}

static maskdm_image *photo(int picture)
{
    unsigned char data[N];
    maskdm_image *image;

    for (int i = 0; i < N; i++)
        data[i] = photo_byte(picture, i);
    OK(maskdm_image_create(&image, H, W, C, MASKDM_SAMPLE_U8, data, 0));
    return image;
}

/* Everything right of the edge is open. */
static int is_known(int i)
{
    return i / C % W < EDGE;
}

static maskdm_image *hole(int64_t height, int64_t width, int white_from)
{
    unsigned char data[32 * 32];
    maskdm_image *image;

    for (int i = 0; i < height * width; i++)
        data[i] = i % width < white_from ? 127 : 128;
    OK(maskdm_image_create(&image, height, width, 1, MASKDM_SAMPLE_U8, data, 0));
    return image;
}

/* How a sampler is set up for a case; NULL: as it is. */
typedef void (*setup)(maskdm_sampler *s);

static void vary(maskdm_sampler *s)
{
    maskdm_image *image[] = {photo(0), photo(1)};

    OK(maskdm_sampler_set_start(s, (const maskdm_image *const *)image, 2, 0.5));
    maskdm_image_release(&image[0]);
    maskdm_image_release(&image[1]);
}

static void inpaint_with(maskdm_sampler *s, const char *how)
{
    maskdm_image *image[] = {photo(0), photo(1)}, *mask = hole(H, W, EDGE);
    maskdm_options *o = rig_options("inpaint", how);

    OK(maskdm_sampler_set_hole(s, (const maskdm_image *const *)image, 2, mask, o));
    maskdm_options_release(&o);
    maskdm_image_release(&image[0]);
    maskdm_image_release(&image[1]);
    maskdm_image_release(&mask);
}

static void inpaint(maskdm_sampler *s)
{
    inpaint_with(s, "");
}

static void repaint(maskdm_sampler *s)
{
    inpaint_with(s, "resample=3 jump_length=2");
}

static void narrow(maskdm_sampler *s)
{
    inpaint_with(s, "surround=1");
}

static void both(maskdm_sampler *s)
{
    vary(s);
    repaint(s);
}

static void draw_u8(maskdm_sampler *s, int64_t count, unsigned char *out)
{
    OK(maskdm_sampler_run(s, count, NULL, NULL, MASKDM_SAMPLE_U8, out, 0, 0));
}

static const struct {
    const char *sampler;
    setup set;
} way[] = {
    {"sampler=ddim steps=6 eta=1", vary},
    {"sampler=ddim steps=6 eta=1", inpaint},
    {"sampler=ddim steps=6 eta=1", repaint},
    {"sampler=ddim steps=6", both},
    {"sampler=ddpm", inpaint},
    {"sampler=dpmpp steps=7", vary},
    {"sampler=dpmpp steps=7", both},
    {"sampler=heun steps=6 churn=2", repaint},
    {"sampler=heun steps=6", both},
    {"sampler=dpmpp steps=7", narrow},
};

/* One at a time, three at a time, on two threads: the same bytes. An image's picture goes by its place. */
START_TEST(a_seed_is_an_image)
{
    static unsigned char whole[MANY * N], other[MANY * N];
    const uint64_t seed[] = {40, 41, 42, 43, 44};
    maskdm_model *one = model(1), *two = model(2);
    char text[128];
    maskdm_sampler *s;

    snprintf(text, sizeof text, "%s seed=40 batch_size=8", way[_i].sampler);
    s = rig_sampler(one, text);
    way[_i].set(s);
    draw_u8(s, MANY, whole);
    ck_assert_mem_ne(whole, whole + 2 * N, N);
    OK(maskdm_sampler_run(s, 3, seed + 2, NULL, MASKDM_SAMPLE_U8, other, 0, 0)); /* pictures in turn from the first */
    ck_assert_mem_eq(other, whole + 2 * N, 3 * N);
    maskdm_sampler_release(&s);
    snprintf(text, sizeof text, "%s seed=40 batch_size=3", way[_i].sampler);
    s = rig_sampler(two, text);
    way[_i].set(s);
    draw_u8(s, MANY, other);
    ck_assert_mem_eq(other, whole, sizeof whole);
    maskdm_sampler_release(&s);
    maskdm_model_release(&one);
    maskdm_model_release(&two);
}
END_TEST

/* ---- variation ---- */

static void normals(uint64_t seed, float *out)
{
    const struct mdm_rng stream = mdm_rng_make(seed, MDM_DRAW_SAMPLE, 0, 0);

    mdm_rng_normal(out, N, &stream, 0);
}

/* By hand: the times that are left as the only ones, and x as the first of them finds it. */
START_TEST(a_variation_is_a_picture_with_noise)
{
    static float x[N], got[N];
    maskdm_model *m = model(1);
    maskdm_scheduler *scheduler;
    maskdm_sampler *s = rig_sampler(m, "sampler=ddim steps=6 eta=0 seed=40 clip=false"), *rest;
    maskdm_options *o = rig_options("sampler", "sampler=ddim steps=6 eta=0");
    maskdm_solver *solver;
    double times[STEPS], signal, noise;
    char text[256];

    OK(maskdm_model_scheduler(&scheduler, m));
    OK(maskdm_solver_create(&solver, scheduler, o));
    ck_assert_int_eq(maskdm_solver_times(solver, times, STEPS), STEPS);
    snprintf(text, sizeof text, "sampler=ddim eta=0 clip=false times=%g,%g,%g,-1", times[3], times[4], times[5]);
    rest = rig_sampler(m, text);
    OK(maskdm_scheduler_factors(scheduler, "signal", 1, times + 3, &signal));
    OK(maskdm_scheduler_factors(scheduler, "noise", 1, times + 3, &noise));
    normals(40, x);
    for (int i = 0; i < N; i++)
        x[i] = (float)(noise * (double)x[i] + signal * (double)(float)(photo_byte(0, i) / 127.5 - 1));
    OK(maskdm_sampler_run_from(rest, 1, x, NULL, NULL));
    vary(s);
    OK(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_FLOAT, got, 0, 0));
    for (int i = 0; i < N; i++)
        ck_assert_float_eq_tol(got[i], fminf(1, fmaxf(0, (x[i] + 1) / 2)), 1e-6f);
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&o);
    maskdm_sampler_release(&s);
    maskdm_sampler_release(&rest);
    maskdm_model_release(&m);
}
END_TEST

static int count_steps(void *user, const struct maskdm_step *step)
{
    int64_t *steps = user;

    ck_assert_int_eq(step->step, *steps % step->steps + 1);
    ++*steps;
    return 0;
}

START_TEST(strength)
{
    static const struct {
        double strength;
        int steps;
    } each[] = {{1, 50}, {0.58, 29}, {0.57, 28}, {0.999, 49}, {0.02, 1}}; /* 0.58 x 50 is 28.999999999999996 */
    static unsigned char plain[N], got[N];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, "sampler=ddim steps=50 seed=7");
    maskdm_image *image = photo(0);
    const maskdm_image *one[] = {image};

    draw_u8(s, 1, plain);
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        int64_t steps = 0;

        OK(maskdm_sampler_set_start(s, one, 1, each[i].strength));
        maskdm_sampler_set_step(s, count_steps, &steps);
        draw_u8(s, 1, got);
        ck_assert_int_eq(steps, each[i].steps);
        if (each[i].strength == 1 || each[i].strength < 0.9) /* in between there is next to nothing of the picture */
            ck_assert_msg(!memcmp(got, plain, sizeof got) == (each[i].strength == 1), "strength %g",
                          each[i].strength);
    }
    maskdm_sampler_set_step(s, NULL, NULL);
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_start(s, one, 1, 0.0199),
            "strength 0.0199 leaves none of 50 steps; 0.02 leaves one");
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_start(s, one, 1, 1.5), "strength 1.5 is outside 0 .. 1");
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_start(s, one, 1, NAN), "strength nan is outside 0 .. 1");
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_start(s, one, 0, 0.5), "0 pictures");
    OK(maskdm_sampler_set_start(s, NULL, 0, 0.5));
    draw_u8(s, 1, got);
    ck_assert_mem_eq(got, plain, sizeof got);
    maskdm_image_release(&image);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

START_TEST(pictures_of_another_size)
{
    static float x[N];
    static unsigned char plain[N], got[N];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, "sampler=ddim steps=6 seed=7");
    maskdm_image *good = photo(0), *turned, *grey = hole(H, W, EDGE), *empty = hole(H, W, W), *small = hole(4, 4, 2);
    const maskdm_image *one[] = {good}, *two[] = {good, grey}, *none[] = {NULL}, *other[1];

    OK(maskdm_image_fit(&turned, good, W, H));
    other[0] = turned;
    draw_u8(s, 1, plain);
    REFUSED(MASKDM_ESHAPE, maskdm_sampler_set_start(s, other, 1, 0.5),
            "picture 0 is 12 x 8 x 3, and the images that are drawn 8 x 12 x 3");
    REFUSED(MASKDM_ESHAPE, maskdm_sampler_set_hole(s, two, 2, grey, NULL),
            "picture 1 is 8 x 12 x 1, and the images that are drawn 8 x 12 x 3");
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_start(s, none, 1, 0.5), "picture 0 is NULL");
    REFUSED(MASKDM_ESHAPE, maskdm_sampler_set_hole(s, one, 1, small, NULL),
            "a hole of 4 x 4 x 1, where images are 8 x 12 and it is x 1");
    REFUSED(MASKDM_ESHAPE, maskdm_sampler_set_hole(s, one, 1, good, NULL),
            "a hole of 8 x 12 x 3, where images are 8 x 12 and it is x 1");
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_hole(s, one, 1, empty, NULL),
            "the hole is empty: no pixel of it is white");
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_hole(s, one, 1, NULL, NULL), "maskdm_sampler_set_hole: mask is NULL");
    draw_u8(s, 1, got); /* nothing was set */
    ck_assert_mem_eq(got, plain, sizeof got);
    vary(s);
    REFUSED(MASKDM_EINVAL, maskdm_sampler_run_from(s, 1, x, NULL, NULL),
            "given noise is for a sampler that begins with it, and has no pictures");
    maskdm_image_release(&good);
    maskdm_image_release(&turned);
    maskdm_image_release(&grey);
    maskdm_image_release(&empty);
    maskdm_image_release(&small);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* ---- parts of pictures ---- */

static const char *const painters[] = {"sampler=ddim steps=6",
                                       "sampler=ddim steps=6 eta=1 clip=false",
                                       "sampler=ddpm",
                                       "sampler=dpmpp steps=7",
                                       "sampler=euler steps=6 churn=3",
                                       "sampler=heun steps=6",
                                       "sampler=unipc steps=7 order=3",
                                       "sampler=euler_ancestral steps=6",
                                       "sampler=ddim steps=6 threshold=true threshold_share=0.9"};

START_TEST(what_is_known_stays)
{
    static unsigned char got[2 * N], again[2 * N];
    static uint16_t deep[2 * N];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, painters[_i]);
    const uint64_t seed[] = {100, 101};
    int differ = 0;

    repaint(s);
    draw_u8(s, 2, got);
    OK(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_U16, deep, 0, 0));
    OK(maskdm_sampler_run(s, 2, seed, NULL, MASKDM_SAMPLE_U8, again, 0, 0));
    for (int i = 0; i < 2 * N; i++) {
        differ += got[i] != again[i];
        if (is_known(i % N)) {
            ck_assert_int_eq(got[i], photo_byte(i / N, i % N));
            ck_assert_int_eq(again[i], photo_byte(i / N, i % N));
            ck_assert_int_eq(deep[i], photo_byte(i / N, i % N) * 257);
        }
    }
    ck_assert_int_gt(differ, N / 2);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* A hole that is everything leaves what is drawn without one. */
START_TEST(nothing_known)
{
    static unsigned char plain[2 * N], got[2 * N];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, painters[_i]);
    maskdm_image *image = photo(0), *all = hole(H, W, 0);
    const maskdm_image *one[] = {image};

    draw_u8(s, 2, plain);
    OK(maskdm_sampler_set_hole(s, one, 1, all, NULL));
    draw_u8(s, 2, got);
    ck_assert_mem_eq(got, plain, sizeof got);
    inpaint(s);
    draw_u8(s, 2, got);
    ck_assert_mem_ne(got, plain, sizeof got);
    OK(maskdm_sampler_set_hole(s, NULL, 0, NULL, NULL));
    draw_u8(s, 2, got);
    ck_assert_mem_eq(got, plain, sizeof got);
    maskdm_image_release(&image);
    maskdm_image_release(&all);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* Known pixels carry as much noise as x does, other noise in every step, and none in a preview. */
static int check_known(void *user, const struct maskdm_step *step)
{
    double sum = 0, squares = 0, *last = user;
    int count = 0;

    ck_assert_double_eq_tol(step->signal * step->signal + step->noise * step->noise, 1, 1e-12);
    for (int i = 0; i < N; i++) {
        const double known = (float)(photo_byte(0, i) / 127.5 - 1);

        if (!is_known(i))
            continue;
        ck_assert_float_eq(step->x0[i], (float)known);
        if (step->step == step->steps) {
            ck_assert_float_eq(step->x[i], (float)known);
        } else {
            const double e = ((double)step->x[i] - step->signal * known) / step->noise;

            sum += e;
            squares += e * e;
            count++;
        }
    }
    if (step->step == step->steps) {
        ck_assert_double_eq(step->signal, 1);
        ck_assert_double_eq(step->noise, 0);
        return 0;
    }
    ck_assert_double_eq_tol(sum / count, 0, 5 / sqrt(count));
    ck_assert_double_eq_tol(squares / count, 1, 5 * sqrt(2.0 / count));
    ck_assert_double_ne(sum, *last);
    *last = sum;
    return 0;
}

START_TEST(noise_of_what_is_known)
{
    static unsigned char got[N];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, "sampler=ddim steps=6 seed=9");
    double last = 0;

    repaint(s);
    maskdm_sampler_set_step(s, check_known, &last);
    draw_u8(s, 1, got);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* Patches are 2 pixels wide, the hole begins in the third column of them: a surround of one is the second. */
static void paint_far(maskdm_sampler *s, int far, const char *how, unsigned char *out)
{
    unsigned char data[N];
    maskdm_image *image, *mask = hole(H, W, EDGE);
    maskdm_options *o = rig_options("inpaint", how);
    const maskdm_image *one[1];

    for (int i = 0; i < N; i++)
        data[i] = (unsigned char)(i / C % W < far ? 255 - photo_byte(0, i) : photo_byte(0, i));
    OK(maskdm_image_create(&image, H, W, C, MASKDM_SAMPLE_U8, data, 0));
    one[0] = image;
    OK(maskdm_sampler_set_hole(s, one, 1, mask, o));
    draw_u8(s, 1, out);
    for (int i = 0; i < N; i++) {
        if (is_known(i))
            ck_assert_int_eq(out[i], data[i]);
        out[i] = is_known(i) ? 0 : out[i];
    }
    maskdm_options_release(&o);
    maskdm_image_release(&image);
    maskdm_image_release(&mask);
}

/* What lies beyond the surround does not reach the hole, what lies within it does. */
START_TEST(what_is_out_of_sight)
{
    static unsigned char plain[N], all[N], near[N], other[N];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, painters[_i]);

    draw_u8(s, 1, plain);
    paint_far(s, 0, "", all);
    paint_far(s, 0, "surround=1", near);
    ck_assert_mem_ne(near, all, N);
    paint_far(s, 2, "surround=1", other);
    ck_assert_mem_eq(other, near, N);
    paint_far(s, 3, "surround=1", other);
    ck_assert_mem_ne(other, near, N);
    paint_far(s, 2, "", other);
    ck_assert_mem_ne(other, all, N);
    paint_far(s, 0, "surround=2", other); /* which is everything */
    ck_assert_mem_eq(other, all, N);
    paint_far(s, 0, "surround=4096", other);
    ck_assert_mem_eq(other, all, N);
    paint_far(s, 0, "surround=1", other);
    ck_assert_mem_eq(other, near, N);
    OK(maskdm_sampler_set_hole(s, NULL, 0, NULL, NULL));
    draw_u8(s, 1, other);
    ck_assert_mem_eq(other, plain, N);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

struct seen {
    float x[N], x0[N];
};

static int keep_step(void *user, const struct maskdm_step *step)
{
    struct seen *seen = user;

    memcpy(seen[step->step - 1].x, step->x, sizeof seen->x);
    memcpy(seen[step->step - 1].x0, step->x0, sizeof seen->x0);
    return 0;
}

/* By hand: the network's own answer for those patches alone. */
START_TEST(as_in_training_with_masks)
{
    enum { COLUMNS = W / 2, SEEN = H / 2 * 5, VALUES = 2 * 2 * C };
    static struct seen seen[STEPS];
    static float said[SEEN * VALUES];
    static unsigned char got[N];
    int32_t index[SEEN];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, "sampler=ddim steps=6 clip=false");
    maskdm_options *o = rig_options("sampler", "sampler=ddim steps=6");
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    double times[STEPS], signal[STEPS], noise[STEPS];

    narrow(s);
    maskdm_sampler_set_step(s, keep_step, seen);
    draw_u8(s, 1, got);
    OK(maskdm_model_scheduler(&scheduler, m));
    OK(maskdm_solver_create(&solver, scheduler, o));
    ck_assert_int_eq(maskdm_solver_times(solver, times, STEPS), STEPS);
    OK(maskdm_scheduler_factors(scheduler, "signal", STEPS, times, signal));
    OK(maskdm_scheduler_factors(scheduler, "noise", STEPS, times, noise));
    for (int k = 0; k < SEEN; k++)
        index[k] = k / 5 * COLUMNS + 1 + k % 5;
    for (int t = 1; t < STEPS; t++) {
        const float *x = seen[t - 1].x;

        OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, times + t, NULL, index, SEEN, said));
        for (int k = 0; k < SEEN * VALUES; k++) {
            const int patch = index[k / VALUES], pixel = k % VALUES / C;
            const int i = ((patch / COLUMNS * 2 + pixel / 2) * W + patch % COLUMNS * 2 + pixel % 2) * C + k % C;

            if (!is_known(i)) /* predicted is v */
                ck_assert_float_eq_tol(seen[t].x0[i], signal[t] * (double)x[i] - noise[t] * (double)said[k], 1e-5f);
        }
    }
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&o);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
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

/* A host's denoiser paints too, but always sees all. */
START_TEST(a_host_paints)
{
    static unsigned char got[2 * N];
    maskdm_options *so = rig_options("scheduler", "timesteps=50"), *o = rig_options("inpaint", "surround=1");
    maskdm_options *steps = rig_options("sampler", "sampler=ddim steps=6");
    maskdm_image *image = photo(0), *mask = hole(H, W, EDGE);
    const maskdm_image *one[] = {image};
    maskdm_scheduler *scheduler;
    maskdm_device *device;
    maskdm_sampler *s;

    OK(maskdm_device_open(&device, "cpu", NULL));
    OK(maskdm_scheduler_create(&scheduler, so));
    OK(maskdm_sampler_create_custom(&s, device, scheduler, H, W, C, 0, denoise, NULL, NULL, steps, NULL));
    REFUSED(MASKDM_EINVAL, maskdm_sampler_set_hole(s, one, 1, mask, o),
            "surround leaves patches out, and a function of the host always sees all");
    OK(maskdm_sampler_set_hole(s, one, 1, mask, NULL));
    OK(maskdm_sampler_set_start(s, one, 1, 0.5));
    draw_u8(s, 2, got);
    for (int i = 0; i < 2 * N; i++)
        if (is_known(i % N))
            ck_assert_int_eq(got[i], photo_byte(0, i % N));
    maskdm_options_release(&so);
    maskdm_options_release(&o);
    maskdm_options_release(&steps);
    maskdm_image_release(&image);
    maskdm_image_release(&mask);
    maskdm_sampler_release(&s);
    maskdm_scheduler_release(&scheduler);
    maskdm_device_release(&device);
}
END_TEST

struct counts {
    int64_t steps, reports, of_step, of_report;
};

static int count_step(void *user, const struct maskdm_step *step)
{
    struct counts *c = user;

    ck_assert_int_eq(step->step, ++c->steps);
    c->of_step = step->steps;
    return 0;
}

static int count_report(void *user, const struct maskdm_progress *p)
{
    struct counts *c = user;

    ck_assert_int_eq(p->step, ++c->reports);
    c->of_report = p->steps;
    return 0;
}

/* Heun asks twice a step but the last time; with 6 steps, stretches of 2 and 3 times each, 6 + 2 x 2 x 2 are done. */
START_TEST(how_much_is_done)
{
    static unsigned char got[N];
    maskdm_model *m = model(1);
    maskdm_options *o = rig_options("sampler", "sampler=heun steps=6");
    struct counts c = {0};
    maskdm_control *control;
    maskdm_sampler *s;

    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, count_report, &c);
    OK(maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, o, control));
    maskdm_sampler_set_step(s, count_step, &c);
    repaint(s);
    draw_u8(s, 1, got);
    ck_assert_int_eq(c.steps, 14);
    ck_assert_int_eq(c.of_step, 14);
    ck_assert_int_eq(c.reports, 27);
    ck_assert_int_eq(c.of_report, 27);
    c = (struct counts){0};
    both(s);
    draw_u8(s, 1, got);
    ck_assert_int_eq(c.steps, 7); /* the last three, and twice back over the first two of them */
    ck_assert_int_eq(c.reports, 13);
    maskdm_control_release(&control);
    maskdm_options_release(&o);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* ---- between seeds ---- */

START_TEST(ends_of_a_way_are_images)
{
    static unsigned char own[3 * N], way_of[9 * N], other[9 * N];
    const uint64_t seed[] = {3, UINT64_MAX, 12}, same[] = {3, 3};
    maskdm_model *m = model(1), *two = model(2);
    char text[128];
    maskdm_sampler *s, *t;

    snprintf(text, sizeof text, "%s batch_size=16", painters[_i]);
    s = rig_sampler(m, text);
    snprintf(text, sizeof text, "%s batch_size=2", painters[_i]);
    t = rig_sampler(two, text);
    OK(maskdm_sampler_run(s, 3, seed, NULL, MASKDM_SAMPLE_U8, own, 0, 0));
    OK(maskdm_sampler_run_between(s, seed, 3, 9, NULL, MASKDM_SAMPLE_U8, way_of, 0, 0));
    for (int k = 0; k < 3; k++)
        ck_assert_mem_eq(way_of + 4 * k * N, own + k * N, N);
    for (int k = 1; k < 9; k++)
        ck_assert_mem_ne(way_of + k * N, way_of + (k - 1) * N, N);
    OK(maskdm_sampler_run_between(t, seed, 3, 9, NULL, MASKDM_SAMPLE_U8, other, 0, 0));
    ck_assert_mem_eq(other, way_of, sizeof other);
    OK(maskdm_sampler_run_between(s, same, 2, 3, NULL, MASKDM_SAMPLE_U8, other, 0, 0));
    for (int k = 0; k < 3; k++)
        ck_assert_mem_eq(other + k * N, own, N);
    maskdm_sampler_release(&s);
    maskdm_sampler_release(&t);
    maskdm_model_release(&m);
    maskdm_model_release(&two);
}
END_TEST

/* By Shoemake's formula, in double. */
static void slerp(const float *a, const float *b, double t, float *out)
{
    double aa = 0, bb = 0, ab = 0, angle;

    for (int i = 0; i < N; i++) {
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    angle = acos(ab / sqrt(aa * bb));
    for (int i = 0; i < N; i++)
        out[i] = (float)((sin((1 - t) * angle) * (double)a[i] + sin(t * angle) * (double)b[i]) / sin(angle));
}

START_TEST(noise_turns)
{
    static float a[N], b[N], x[N], got[5 * N];
    const uint64_t seed[] = {3, 8};
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, "sampler=ddim steps=6");

    normals(3, a);
    normals(8, b);
    OK(maskdm_sampler_run_between(s, seed, 2, 5, NULL, MASKDM_SAMPLE_FLOAT, got, 0, 0));
    for (int k = 0; k < 5; k++) {
        slerp(a, b, k / 4.0, x);
        OK(maskdm_sampler_run_from(s, 1, x, NULL, NULL));
        for (int i = 0; i < N; i++)
            ck_assert_float_eq_tol(got[k * N + i], fminf(1, fmaxf(0, (x[i] + 1) / 2)), 1e-5f);
    }
    REFUSED(MASKDM_EINVAL, maskdm_sampler_run_between(s, seed, 1, 5, NULL, MASKDM_SAMPLE_FLOAT, got, 0, 0),
            "a way leads from one seed to another, and 1 are given");
    REFUSED(MASKDM_EINVAL, maskdm_sampler_run_between(s, seed, 2, 1, NULL, MASKDM_SAMPLE_FLOAT, got, 0, 0),
            "1 frames on a way by 2 seeds");
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* ---- what the host does between steps ---- */

static void edit(float *x, int64_t step)
{
    for (int i = 0; i < N; i++)
        x[i] += 0.01f * (float)step * (float)(i % 5 - 2);
}

static int edit_step(void *user, const struct maskdm_step *step)
{
    if (*(int *)user)
        for (int64_t i = 0; i < step->count; i++)
            edit(step->x + i * N, step->step);
    return 0;
}

/* The same by hand: a solver whose x is changed between its steps. */
START_TEST(an_edit_counts)
{
    static float x[2 * N], hand[N], said[N], plain[2 * N];
    maskdm_model *m = model(1);
    maskdm_options *o = rig_options("sampler", "sampler=ddim steps=6");
    maskdm_sampler *s = rig_sampler(m, "sampler=ddim steps=6");
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    double times[STEPS];
    int edits = 0;

    normals(1, x);
    normals(2, x + N);
    memcpy(plain, x, sizeof x);
    memcpy(hand, x, sizeof hand);
    OK(maskdm_sampler_run_from(s, 2, plain, NULL, NULL));
    maskdm_sampler_set_step(s, edit_step, &edits); /* which only looks as yet */
    OK(maskdm_sampler_run_from(s, 2, x, NULL, NULL));
    ck_assert_mem_eq(x, plain, sizeof x);
    edits = 1;
    normals(1, x);
    normals(2, x + N);
    OK(maskdm_sampler_run_from(s, 2, x, NULL, NULL));
    OK(maskdm_model_scheduler(&scheduler, m));
    OK(maskdm_solver_create(&solver, scheduler, o));
    ck_assert_int_eq(maskdm_solver_times(solver, times, STEPS), STEPS);
    OK(maskdm_solver_begin(solver, 1, N, hand));
    for (int i = 0; i < STEPS; i++) {
        OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, hand, times + i, NULL, NULL, 0, said));
        OK(maskdm_solver_input(solver, hand, NULL, NULL, NULL));
        OK(maskdm_solver_step(solver, hand, said, NULL, NULL));
        edit(hand, i + 1);
    }
    ck_assert_mem_eq(x, hand, sizeof hand);
    ck_assert_mem_ne(x, plain, sizeof hand);
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&o);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* A black image whatever it is asked, so that x is nothing but noise, which falls from step to step. */
static int see_black(void *user, int64_t count, const float *x, double time, const int32_t *labels, float *prediction)
{
    (void)user;
    (void)x;
    (void)time;
    (void)labels;
    memset(prediction, 0, (size_t)count * N * sizeof *prediction);
    return 0;
}

struct fall {
    float x[N];
    double noise;
};

static int add_and_compare(void *user, const struct maskdm_step *step)
{
    struct fall *last = user;

    for (int i = 0; i < N && step->step < step->steps; i++) {
        if (step->step > 1)
            ck_assert_float_eq_tol(step->x[i], step->noise / last->noise * (double)last->x[i], 1e-5f);
        step->x[i] += (float)(i % 5) / 2 - 1;
        last->x[i] = step->x[i];
    }
    last->noise = step->noise;
    return 0;
}

/* Whatever a solver looks at, a change of x is one that the next step begins with. */
START_TEST(an_edit_is_not_forgotten)
{
    static const char *const each[] = {"sampler=ddim steps=6",          "sampler=dpmpp steps=9",
                                       "sampler=dpmpp steps=9 order=3", "sampler=unipc steps=9",
                                       "sampler=unipc steps=9 order=3", "sampler=euler steps=6",
                                       "sampler=heun steps=6"};
    static float out[N];
    struct fall last = {.noise = 1};
    maskdm_options *so = rig_options("scheduler", "timesteps=50 prediction=x0");
    maskdm_scheduler *scheduler;
    maskdm_device *device;

    OK(maskdm_device_open(&device, "cpu", NULL));
    OK(maskdm_scheduler_create(&scheduler, so));
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        maskdm_options *o = rig_options("sampler", each[i]);
        maskdm_sampler *s;

        OK(maskdm_sampler_create_custom(&s, device, scheduler, H, W, C, 0, see_black, NULL, NULL, o, NULL));
        maskdm_sampler_set_step(s, add_and_compare, &last);
        OK(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_FLOAT, out, 0, 0));
        maskdm_options_release(&o);
        maskdm_sampler_release(&s);
    }
    maskdm_options_release(&so);
    maskdm_scheduler_release(&scheduler);
    maskdm_device_release(&device);
}
END_TEST

/* And looking alone changes nothing. */
START_TEST(a_look_changes_nothing)
{
    static unsigned char plain[2 * N], got[2 * N];
    maskdm_model *m = model(1);
    maskdm_sampler *s = rig_sampler(m, painters[_i]);
    int edits = 0;

    draw_u8(s, 2, plain);
    maskdm_sampler_set_step(s, edit_step, &edits);
    draw_u8(s, 2, got);
    ck_assert_mem_eq(got, plain, sizeof got);
    edits = 1;
    draw_u8(s, 2, got);
    ck_assert_mem_ne(got, plain, sizeof got);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

static int cancel_at(void *user, const struct maskdm_step *step)
{
    return step->step == *(int64_t *)user;
}

/* At any step of any of these; the sampler then does what it would have done. */
START_TEST(cancelling)
{
    static unsigned char whole[2 * N], got[2 * N];
    maskdm_model *m = model(1);
    char text[128];
    maskdm_sampler *s;

    snprintf(text, sizeof text, "%s seed=40 batch_size=1", way[_i].sampler);
    s = rig_sampler(m, text);
    way[_i].set(s);
    draw_u8(s, 2, whole);
    for (int64_t at = 1; at <= 3; at++) {
        maskdm_sampler_set_step(s, cancel_at, &at);
        REFUSED(MASKDM_ECANCELED, maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_U8, got, 0, 0),
                "the step callback cancelled sampling");
    }
    maskdm_sampler_set_step(s, NULL, NULL);
    draw_u8(s, 2, got);
    ck_assert_mem_eq(got, whole, sizeof got);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

int main(void)
{
    enum { WAYS = sizeof way / sizeof *way, PAINTERS = sizeof painters / sizeof *painters };
    Suite *suite = suite_create("generation");
    TCase *t = tcase_create("generation");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, t);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_seed_is_an_image, 0, WAYS);
    tcase_add_test(t, a_variation_is_a_picture_with_noise);
    tcase_add_test(t, strength);
    tcase_add_test(t, pictures_of_another_size);
    tcase_add_loop_test(t, what_is_known_stays, 0, PAINTERS);
    tcase_add_loop_test(t, nothing_known, 0, PAINTERS);
    tcase_add_test(t, noise_of_what_is_known);
    tcase_add_loop_test(t, what_is_out_of_sight, 0, PAINTERS);
    tcase_add_test(t, as_in_training_with_masks);
    tcase_add_test(t, a_host_paints);
    tcase_add_test(t, how_much_is_done);
    tcase_add_loop_test(t, ends_of_a_way_are_images, 0, PAINTERS);
    tcase_add_test(t, noise_turns);
    tcase_add_test(t, an_edit_counts);
    tcase_add_test(t, an_edit_is_not_forgotten);
    tcase_add_loop_test(t, a_look_changes_nothing, 0, PAINTERS);
    tcase_add_loop_test(t, cancelling, 0, WAYS);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
