/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sampling through the public interface: an image's bytes depend on its seed alone, cancelling leaves the sampler as
 * it was, memory that the caller lends is written as asked, and the whole job writes what single calls give.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { H = 8, W = 12, C = 3, N = H * W * C, MANY = 8, STEPS = 6 };

static char folder[256];

#define OK(call) ck_assert_msg((call) >= 0, "%s", maskdm_last_error())

static maskdm_model *model_in(const char *process, int threads, const char *more)
{
    char text[128];
    maskdm_options *o, *so = rig_options("scheduler", process), *d;
    maskdm_scheduler *s;
    maskdm_device *device;
    maskdm_model *m;

    snprintf(text, sizeof text, "threads=%d", threads);
    d = rig_options("device", text);
    snprintf(text, sizeof text, "image_size=%dx%d patch_size=2 channels=%d dim=32 depth=3 heads=2 %s", H, W, C, more);
    o = rig_options("uvit", text);
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

static maskdm_model *model(int threads, const char *more)
{
    return model_in("timesteps=50 schedule=cosine prediction=v", threads, more);
}

static maskdm_sampler *sampler(maskdm_model *m, const char *text, maskdm_control *control)
{
    maskdm_options *o = rig_options("sampler", text);
    maskdm_sampler *s;

    OK(maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, o, control));
    maskdm_options_release(&o);
    return s;
}

#define DDIM "sampler=ddim steps=6 eta=1 seed=40 "

START_TEST(a_seed_is_an_image)
{
    static const char *const looking_back[] = {
        "sampler=dpmpp steps=7 seed=40 batch_size=3", "sampler=unipc order=3 steps=7 seed=40 batch_size=3",
        "sampler=dpmpp order=3 sde=true steps=7 seed=40 batch_size=3",
        "sampler=euler_ancestral steps=7 seed=40 batch_size=3 threshold=true threshold_share=0.5"};
    static float whole[MANY * N], other[MANY * N], one[N];
    const uint64_t seed = 43;
    maskdm_model *m = model(1, ""), *m2 = model(2, "");
    maskdm_sampler *s = sampler(m, DDIM "batch_size=8", NULL);
    maskdm_sampler *threes = sampler(m, DDIM "batch_size=3", NULL), *two = sampler(m2, DDIM "batch_size=8", NULL);
    maskdm_sampler *ddpm = sampler(m, "sampler=ddpm seed=40", NULL);

    OK(maskdm_sampler_run(s, MANY, NULL, NULL, MASKDM_SAMPLE_FLOAT, whole, 0, 0));
    ck_assert_mem_ne(whole, whole + N, sizeof one);
    OK(maskdm_sampler_run(s, 1, &seed, NULL, MASKDM_SAMPLE_FLOAT, one, 0, 0));
    ck_assert_mem_eq(one, whole + 3 * N, sizeof one);
    OK(maskdm_sampler_run(threes, MANY, NULL, NULL, MASKDM_SAMPLE_FLOAT, other, 0, 0));
    ck_assert_mem_eq(other, whole, sizeof whole);
    OK(maskdm_sampler_run(two, MANY, NULL, NULL, MASKDM_SAMPLE_FLOAT, other, 0, 0));
    ck_assert_mem_eq(other, whole, sizeof whole);
    OK(maskdm_sampler_run(ddpm, 2, NULL, NULL, MASKDM_SAMPLE_FLOAT, other, 0, 0));
    OK(maskdm_sampler_run(ddpm, 1, NULL, NULL, MASKDM_SAMPLE_FLOAT, one, 0, 0));
    ck_assert_mem_eq(one, other, sizeof one);
    ck_assert_mem_ne(one, whole, sizeof one);
    for (size_t i = 0; i < sizeof looking_back / sizeof *looking_back; i++) {
        maskdm_sampler *back = sampler(m, looking_back[i], NULL);

        OK(maskdm_sampler_run(back, MANY, NULL, NULL, MASKDM_SAMPLE_FLOAT, other, 0, 0));
        OK(maskdm_sampler_run(back, 1, &seed, NULL, MASKDM_SAMPLE_FLOAT, one, 0, 0));
        ck_assert_mem_eq(one, other + 3 * N, sizeof one);
        ck_assert_mem_ne(one, whole + 3 * N, sizeof one);
        maskdm_sampler_release(&back);
    }
    maskdm_sampler_release(&s);
    maskdm_sampler_release(&threes);
    maskdm_sampler_release(&two);
    maskdm_sampler_release(&ddpm);
    maskdm_model_release(&m);
    maskdm_model_release(&m2);
}
END_TEST

struct watch {
    int64_t previews, reports, last_step, last_images, cancel_at;
    float largest;
    maskdm_control *control;
};

static int preview(void *user, const struct maskdm_step *step)
{
    struct watch *w = user;

    ck_assert_uint_eq(step->struct_size, sizeof *step);
    ck_assert_int_eq(step->step, w->previews % STEPS + 1);
    ck_assert_int_eq(step->steps, STEPS);
    ck_assert_int_eq(step->first, w->previews / STEPS * 2);
    ck_assert_int_eq(step->count, 2);
    ck_assert_int_eq(step->values, N);
    for (int64_t i = 0; i < step->count * N; i++)
        if (!(step->x0[i] <= w->largest))
            w->largest = step->x0[i];
    return ++w->previews == w->cancel_at;
}

static int progress(void *user, const struct maskdm_progress *p)
{
    struct watch *w = user;

    w->reports++;
    w->last_step = p->step;
    w->last_images = p->images;
    ck_assert_int_eq(p->steps, 2 * STEPS);
    if (w->control && w->reports == 3)
        maskdm_control_cancel(w->control);
    return 0;
}

START_TEST(watching_and_cancelling)
{
    static unsigned char expected[4 * N], got[4 * N];
    struct watch w = {0};
    maskdm_model *m = model(1, "");
    maskdm_control *control;
    maskdm_sampler *s;

    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, progress, &w);
    s = sampler(m, DDIM "batch_size=2", control);
    maskdm_sampler_set_step(s, preview, &w);
    OK(maskdm_sampler_run(s, 4, NULL, NULL, MASKDM_SAMPLE_U8, expected, 0, 0));
    ck_assert_int_eq(w.previews, 2 * STEPS);
    ck_assert_int_eq(w.reports, 2 * STEPS);
    ck_assert_int_eq(w.last_step, 2 * STEPS);
    ck_assert_int_eq(w.last_images, 4);
    ck_assert_float_le(w.largest, 1);

    w = (struct watch){.cancel_at = 8};
    ck_assert_int_eq(maskdm_sampler_run(s, 4, NULL, NULL, MASKDM_SAMPLE_U8, got, 0, 0), MASKDM_ECANCELED);
    ck_assert_str_eq(maskdm_last_error(), "the step callback cancelled sampling");
    ck_assert_int_eq(w.previews, 8);
    w = (struct watch){.control = control};
    ck_assert_int_eq(maskdm_sampler_run(s, 4, NULL, NULL, MASKDM_SAMPLE_U8, got, 0, 0), MASKDM_ECANCELED);
    ck_assert_int_eq(w.reports, 3);
    w = (struct watch){0};
    maskdm_control_stop(control);
    ck_assert_int_eq(maskdm_sampler_run(s, 4, NULL, NULL, MASKDM_SAMPLE_U8, got, 0, 0), MASKDM_ECANCELED);
    ck_assert_int_eq(w.previews, 0);
    OK(maskdm_sampler_run(s, 4, NULL, NULL, MASKDM_SAMPLE_U8, got, 0, 0));
    ck_assert_mem_eq(got, expected, sizeof got);
    maskdm_control_release(&control);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

START_TEST(memory_as_the_caller_lends_it)
{
    enum { ROW = W * C * 4 + 5, IMAGE = ROW * H + 7 };
    static float plain[2 * N];
    static unsigned char u8[2 * N], wide[2 * IMAGE];
    static uint16_t u16[2 * N];
    maskdm_model *m = model(1, "");
    maskdm_sampler *s = sampler(m, DDIM, NULL);

    OK(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_FLOAT, plain, 0, 0));
    OK(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_U8, u8, 0, 0));
    OK(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_U16, u16, 0, 0));
    memset(wide, 0xa5, sizeof wide);
    OK(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_FLOAT, wide, ROW, IMAGE));
    for (int i = 0; i < 2 * N; i++) {
        const size_t at = (size_t)(i / N) * IMAGE + (size_t)(i % N / (W * C)) * ROW + (size_t)(i % (W * C)) * 4;

        ck_assert(plain[i] >= 0 && plain[i] <= 1);
        ck_assert_int_eq(u8[i], (int)((double)plain[i] * 255 + 0.5));
        ck_assert_int_le(abs(u16[i] - (int)((double)plain[i] * 65535 + 0.5)), 1);
        ck_assert(!memcmp(wide + at, &plain[i], 4));
    }
    for (int row = 0; row < 2 * H; row++)
        for (int i = W * C * 4; i < ROW; i++)
            ck_assert_int_eq(wide[row / H * IMAGE + row % H * ROW + i], 0xa5);
    ck_assert_int_eq(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_FLOAT, wide, 8, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_FLOAT, wide, 0, 8), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_sampler_run(s, -1, NULL, NULL, MASKDM_SAMPLE_U8, u8, 0, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_sampler_run(s, INT64_MAX, NULL, NULL, MASKDM_SAMPLE_U8, u8, 0, 0), MASKDM_EINVAL);
    OK(maskdm_sampler_run(s, 0, NULL, NULL, MASKDM_SAMPLE_U8, NULL, 0, 0));
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

/* What guidance is, by hand: two predictions a step, and a point on the line through them. */
static void sample_guided(maskdm_model *m, const char *text, double scale, int32_t label, float *x)
{
    static float with[N], without[N];
    maskdm_options *o = rig_options("sampler", text);
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    const int32_t null = -1;
    double times[STEPS];

    OK(maskdm_model_scheduler(&scheduler, m));
    OK(maskdm_solver_create(&solver, scheduler, o));
    ck_assert_int_eq(maskdm_solver_times(solver, times, STEPS), STEPS);
    OK(maskdm_solver_begin(solver, 1, N, x));
    for (int i = 0; i < STEPS; i++) {
        OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, times + i, &label, NULL, 0, with));
        OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, times + i, &null, NULL, 0, without));
        for (int k = 0; k < N; k++)
            with[k] = (float)((double)without[k] + scale * ((double)with[k] - (double)without[k]));
        OK(maskdm_solver_input(solver, x, NULL, NULL, NULL));
        OK(maskdm_solver_step(solver, x, with, NULL, NULL));
    }
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&o);
}

START_TEST(guidance)
{
    static float hand[N], a[2 * N], b[2 * N];
    const int32_t labels[] = {2, -1};
    maskdm_model *m = model(1, "classes=5"), *plain = model(1, "");
    maskdm_sampler *guided = sampler(m, "sampler=ddim steps=6 eta=0 guidance=3.5", NULL);
    maskdm_sampler *still = sampler(m, "sampler=ddim steps=6 eta=0", NULL), *none;
    maskdm_options *o = rig_options("sampler", "guidance=2");

    for (int i = 0; i < 2 * N; i++)
        a[i] = b[i] = (float)(i % N % 7) / 3 - 1;
    memcpy(hand, a, sizeof hand);
    sample_guided(m, "sampler=ddim steps=6 eta=0", 3.5, labels[0], hand);
    OK(maskdm_sampler_run_from(guided, 2, a, NULL, labels));
    OK(maskdm_sampler_run_from(still, 2, b, NULL, labels));
    ck_assert_mem_eq(a, hand, sizeof hand);
    ck_assert_mem_ne(a, b, sizeof hand);
    ck_assert_mem_eq(a + N, b + N, sizeof hand); /* a null label has nothing to follow */
    ck_assert_int_eq(maskdm_sampler_create(&none, plain, MASKDM_WEIGHTS_EMA, o, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "guidance 2 needs a network with labels, a guide or another guidance_by; "
                                          "this one has no classes");
    ck_assert_ptr_null(none);
    maskdm_options_release(&o);
    maskdm_sampler_release(&guided);
    maskdm_sampler_release(&still);
    maskdm_model_release(&m);
    maskdm_model_release(&plain);
}
END_TEST

/* A host's denoiser that asks a model for what the library's own would have asked it. */
struct host {
    maskdm_model *model;
    maskdm_sampler *sampler; /* at work; released in the first call where `gives_up` is set */
    int calls, dropped, cancel_at, gives_up;
    int64_t most;
};

static int denoise(void *user, int64_t count, const float *x, double time, const int32_t *labels, float *prediction)
{
    struct host *h = user;
    double times[2 * MANY];
    unsigned char none;

    ck_assert_int_le(count, 2 * MANY);
    for (int64_t i = 0; i < count; i++)
        times[i] = time;
    h->most = count > h->most ? count : h->most;
    if (h->sampler)
        ck_assert_int_eq(maskdm_sampler_run(h->sampler, 0, NULL, NULL, MASKDM_SAMPLE_U8, &none, 0, 0), MASKDM_EBUSY);
    if (h->gives_up)
        maskdm_sampler_release(&h->sampler);
    if (++h->calls == h->cancel_at)
        return 1;
    OK(maskdm_model_predict(h->model, MASKDM_WEIGHTS_EMA, count, x, times, labels, NULL, 0, prediction));
    return 0;
}

static void dropped(void *user)
{
    ((struct host *)user)->dropped++;
}

static maskdm_sampler *hosts_sampler(struct host *h, maskdm_device *device, maskdm_scheduler *scheduler,
                                     const char *text, int64_t classes)
{
    maskdm_options *o = rig_options("sampler", text);
    maskdm_sampler *s;

    OK(maskdm_sampler_create_custom(&s, device, scheduler, H, W, C, classes, denoise, dropped, h, o, NULL));
    maskdm_options_release(&o);
    return s;
}

static maskdm_device *another_device(void)
{
    maskdm_options *o = rig_options("device", "threads=2");
    maskdm_device *d;

    OK(maskdm_device_open(&d, "cpu", o));
    maskdm_options_release(&o);
    return d;
}

START_TEST(a_hosts_denoiser)
{
    static const char *const how[][2] = {
        {"timesteps=50", DDIM "batch_size=3"},
        {"timesteps=50 prediction=v", "sampler=dpmpp steps=6 seed=40 guidance=2.5 batch_size=2"},
        {"process=edm", "sampler=heun steps=4 seed=40 churn=3 churn_max=50"},
        {"process=flow flow_time=data", "sampler=euler steps=4 seed=40"}};
    static float expected[5 * N], got[5 * N];
    const int32_t labels[] = {2, -1, 0, 1, 2};
    maskdm_device *device = another_device();

    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        struct host h = {.model = model_in(how[i][0], 1, "classes=3")};
        maskdm_sampler *own = sampler(h.model, how[i][1], NULL);
        maskdm_scheduler *scheduler;
        maskdm_sampler *s;

        OK(maskdm_model_scheduler(&scheduler, h.model));
        s = hosts_sampler(&h, device, scheduler, how[i][1], 3);
        maskdm_scheduler_release(&scheduler);
        OK(maskdm_sampler_run(own, 5, NULL, labels, MASKDM_SAMPLE_FLOAT, expected, 0, 0));
        OK(maskdm_sampler_run(s, 5, NULL, labels, MASKDM_SAMPLE_FLOAT, got, 0, 0));
        ck_assert_mem_eq(got, expected, sizeof got);
        ck_assert_int_eq(h.dropped, 0);
        maskdm_sampler_release(&s);
        ck_assert_int_eq(h.dropped, 1);
        maskdm_sampler_release(&own);
        maskdm_model_release(&h.model);
    }
    maskdm_device_release(&device);
}
END_TEST

/* It may cancel, and release what is at work; whatever is refused, its user is dropped once. */
START_TEST(a_hosts_denoiser_misbehaves)
{
    static float x[N];
    const int32_t three = 3;
    struct host h = {.model = model(1, ""), .cancel_at = 2};
    maskdm_device *device = another_device();
    maskdm_options *bad = rig_options("sampler", "guidance=2"), *other = rig_options("mask", "");
    maskdm_scheduler *scheduler;
    maskdm_sampler *s, *none;

    OK(maskdm_model_scheduler(&scheduler, h.model));
    s = hosts_sampler(&h, device, scheduler, "sampler=ddim steps=6", 0);
    ck_assert_int_eq(maskdm_sampler_run_from(s, 1, x, NULL, NULL), MASKDM_ECANCELED);
    ck_assert_str_eq(maskdm_last_error(), "the denoiser cancelled sampling");
    ck_assert_int_eq(h.calls, 2);
    ck_assert_int_eq(maskdm_sampler_run_from(s, 1, x, NULL, &three), MASKDM_EINVAL);
    h = (struct host){.model = h.model, .sampler = s, .gives_up = 1};
    OK(maskdm_sampler_run_from(s, 1, x, NULL, NULL));
    ck_assert_int_eq(h.calls, 6);
    ck_assert_int_eq(h.dropped, 1);

    ck_assert_int_eq(
        maskdm_sampler_create_custom(&none, device, scheduler, H, W, C, 0, denoise, dropped, &h, bad, NULL),
        MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "guidance 2 needs a network with labels, a guide or another guidance_by; "
                                          "this one has no classes");
    ck_assert_int_eq(h.dropped, 2);
    ck_assert_int_eq(
        maskdm_sampler_create_custom(&none, device, scheduler, H, W, C, 0, denoise, dropped, &h, other, NULL),
        MASKDM_EINVAL);
    ck_assert_int_eq(h.dropped, 3);
    ck_assert_int_eq(maskdm_sampler_create_custom(&none, device, scheduler, 1 << 16, 1 << 15, 1, 0, denoise, dropped,
                                                  &h, NULL, NULL),
                     MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "images of 65536 x 32768 x 1 values are outside 1 .. 2^31 of them");
    ck_assert_int_eq(
        maskdm_sampler_create_custom(&none, device, scheduler, H, W, C, 0, NULL, dropped, &h, NULL, NULL),
        MASKDM_EINVAL);
    ck_assert_int_eq(h.dropped, 5);
    ck_assert_ptr_null(none);
    maskdm_options_release(&bad);
    maskdm_options_release(&other);
    maskdm_scheduler_release(&scheduler);
    maskdm_device_release(&device);
    maskdm_model_release(&h.model);
}
END_TEST

START_TEST(labels_and_noise)
{
    static float a[N], b[N], noise[(STEPS - 1) * N];
    const int32_t null = -1, two = 2, five = 5;
    maskdm_model *m = model(1, "classes=5");
    maskdm_sampler *s = sampler(m, DDIM, NULL), *still = sampler(m, "sampler=ddim steps=6 eta=0", NULL);

    OK(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_FLOAT, a, 0, 0));
    OK(maskdm_sampler_run(s, 1, NULL, &null, MASKDM_SAMPLE_FLOAT, b, 0, 0));
    ck_assert_mem_eq(a, b, sizeof a);
    OK(maskdm_sampler_run(s, 1, NULL, &two, MASKDM_SAMPLE_FLOAT, b, 0, 0));
    ck_assert_mem_ne(a, b, sizeof a);
    ck_assert_int_eq(maskdm_sampler_run(s, 1, NULL, &five, MASKDM_SAMPLE_FLOAT, b, 0, 0), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "label 5 of image 0; the network has 5 classes");

    for (int i = 0; i < N; i++)
        a[i] = b[i] = (float)(i % 7) / 3 - 1;
    ck_assert_int_eq(maskdm_sampler_run_from(s, 1, a, NULL, NULL), MASKDM_EINVAL);
    ck_assert_mem_eq(a, b, sizeof a);
    OK(maskdm_sampler_run_from(s, 1, a, noise, NULL));
    OK(maskdm_sampler_run_from(still, 1, b, NULL, NULL));
    ck_assert_mem_ne(a, b, sizeof a);
    maskdm_sampler_release(&s);
    maskdm_sampler_release(&still);
    maskdm_model_release(&m);
}
END_TEST

static int sample(const char *path, const char *out, const char *more)
{
    char text[1024];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "model=%s out=%s/%s count=5 threads=1 " DDIM "%s", path, folder, out, more);
    o = rig_options("sample", text);
    status = maskdm_sample(o, NULL);
    maskdm_options_release(&o);
    return status;
}

START_TEST(the_whole_job)
{
    static unsigned char expected[5 * N], got[N];
    char path[512], out[600];
    maskdm_model *m = model(1, "");
    maskdm_sampler *s = sampler(m, DDIM, NULL);
    maskdm_image *image;

    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    OK(maskdm_model_save(m, path));
    OK(maskdm_sampler_run(s, 5, NULL, NULL, MASKDM_SAMPLE_U8, expected, 0, 0));
    OK(sample(path, "grid.png", "columns=3 scale=1"));
    snprintf(out, sizeof out, "%s/grid.png", folder);
    OK(maskdm_image_read(&image, out, 0, NULL));
    ck_assert_int_eq(maskdm_image_width(image), 3 * (W + 2) + 2);
    ck_assert_int_eq(maskdm_image_height(image), 2 * (H + 2) + 2);
    maskdm_image_release(&image);
    OK(sample(path, "singles", "batch_size=2"));
    for (int i = 0; i < 5; i++) {
        snprintf(out, sizeof out, "%s/singles/%06d.png", folder, 40 + i);
        OK(maskdm_image_read(&image, out, 0, NULL));
        OK(maskdm_image_copy(image, MASKDM_SAMPLE_U8, got, 0));
        ck_assert_mem_eq(got, expected + i * N, N);
        maskdm_image_release(&image);
    }
    ck_assert_int_eq(sample(path, "singles", ""), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "singles is not empty"));
    ck_assert_int_eq(sample(path, "deep", "bits=9"), MASKDM_EINVAL);
    ck_assert_int_eq(sample(path, "deep", "label=1"), MASKDM_EINVAL);
    ck_assert_int_eq(sample(path, "deep", "sampler=ddim steps=51"), MASKDM_EINVAL);
    ck_assert_int_eq(sample(path, "deep", "model_digest=0123456789abcdef"), MASKDM_EINVAL);
    ck_assert_int_eq(sample(path, "deep.jpg", ""), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "a grid is written as .png"));
    ck_assert_int_eq(sample("no.safetensors", "wide.png", "columns=65536"), MASKDM_ENOTFOUND);
    ck_assert_int_eq(sample(path, "wide.png", "columns=65536"), MASKDM_EINVAL);
    ck_assert_int_eq(sample(path, "grid.png", "resume=true"), MASKDM_EINVAL);
    OK(sample(path, "GRID.PNG", "columns=3"));
    ck_assert_int_lt(sample("no.safetensors", "deep", ""), 0);
    snprintf(out, sizeof out, "%s/deep", folder);
    ck_assert_int_lt(maskdm_image_read(&image, out, 0, NULL), 0);
    OK(sample(path, "deep", "bits=16"));
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

static int stop_at(void *user, const struct maskdm_progress *p)
{
    return p->step == *(int64_t *)user;
}

/* Stopped in the third group of two, and gone on with: the groups that were done stay, the rest is what it would have
 * been. */
START_TEST(a_folder_goes_on)
{
    static unsigned char expected[7 * N], got[N];
    int64_t last = 2 * STEPS + 1;
    char path[512], out[600], text[2048];
    maskdm_model *m = model(1, "");
    maskdm_sampler *s = sampler(m, DDIM, NULL);
    maskdm_control *control;
    maskdm_options *o;
    maskdm_image *image;

    snprintf(path, sizeof path, "%s/going.safetensors", folder);
    OK(maskdm_model_save(m, path));
    OK(maskdm_sampler_run(s, 7, NULL, NULL, MASKDM_SAMPLE_U8, expected, 0, 0));
    snprintf(text, sizeof text, "model=%s out=%s/going count=7 batch_size=2 " DDIM, path, folder);
    o = rig_options("sample", text);
    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, stop_at, &last);
    ck_assert_int_eq(maskdm_sample(o, control), MASKDM_ECANCELED);
    snprintf(out, sizeof out, "%s/going/000043.png", folder);
    OK(maskdm_image_read(&image, out, 0, NULL));
    maskdm_image_release(&image);
    snprintf(out, sizeof out, "%s/going/000044.png", folder);
    ck_assert_int_lt(maskdm_image_read(&image, out, 0, NULL), 0);
    ck_assert_int_eq(maskdm_sample(o, control), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "resume goes on"));
    OK(maskdm_options_set(o, "resume", "true"));
    last = -1;
    OK(maskdm_sample(o, control));
    for (int i = 0; i < 7; i++) {
        snprintf(out, sizeof out, "%s/going/%06d.png", folder, 40 + i);
        OK(maskdm_image_read(&image, out, 0, NULL));
        OK(maskdm_image_copy(image, MASKDM_SAMPLE_U8, got, 0));
        ck_assert_mem_eq(got, expected + i * N, N);
        maskdm_image_release(&image);
    }
    OK(maskdm_sample(o, control)); /* nothing is left to draw */
    OK(maskdm_options_set(o, "seed", "41"));
    ck_assert_int_eq(maskdm_sample(o, control), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "was started with seed 40 and cannot be resumed with 41"));
    maskdm_options_release(&o);
    maskdm_control_release(&control);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
}
END_TEST

int main(void)
{
    const char *base = getenv("TMPDIR");
    Suite *s = suite_create("sample");
    TCase *c = tcase_create("sample");
    SRunner *r;
    char command[300];
    int failed;

    snprintf(folder, sizeof folder, "%s/maskdm-sample-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    tcase_add_test(c, a_seed_is_an_image);
    tcase_add_test(c, watching_and_cancelling);
    tcase_add_test(c, memory_as_the_caller_lends_it);
    tcase_add_test(c, labels_and_noise);
    tcase_add_test(c, guidance);
    tcase_add_test(c, a_hosts_denoiser);
    tcase_add_test(c, a_hosts_denoiser_misbehaves);
    tcase_add_test(c, the_whole_job);
    tcase_add_test(c, a_folder_goes_on);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
