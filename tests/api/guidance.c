/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Guidance: where it acts and in which channels, asked for in one batch or in turn; by a second model; by a poorer
 * view of the same; each against a host's own loop with what maskdm_solver says, and what is refused.
 */
#include "rig.h"

#include <stdio.h>

enum { H = 8, W = 12, C = 3, N = H * W * C, MANY = 8, STEPS = 6 };

#define DISCRETE "timesteps=50 schedule=cosine prediction=v"

static maskdm_model *model_on(maskdm_device *device, const char *process, const char *more)
{
    char text[160];
    maskdm_options *o, *so = rig_options("scheduler", process);
    maskdm_scheduler *s;
    maskdm_model *m;

    snprintf(text, sizeof text, "image_size=%dx%d patch_size=2 channels=%d dim=32 depth=3 heads=2 %s", H, W, C, more);
    o = rig_options("uvit", text);
    MUST(maskdm_scheduler_create(&s, so));
    MUST(maskdm_model_create(&m, device, "uvit", o, s, 3));
    maskdm_scheduler_release(&s);
    maskdm_options_release(&o);
    maskdm_options_release(&so);
    return m;
}

static maskdm_model *model_in(const char *process, const char *device, const char *more)
{
    maskdm_device *d = rig_device(device);
    maskdm_model *m = model_on(d, process, more);

    maskdm_device_release(&d);
    return m;
}

/* The same noise for every image. */
static void fill(float *x, int count)
{
    for (int i = 0; i < count * N; i++)
        x[i] = (float)(i % N % 7) / 3 - 1;
}

/* One image by a host's own loop: the solver says how far an evaluation is guided, and whether at all. */
static int loop_guided(maskdm_model *m, maskdm_model *guide, const char *text, int32_t label, float *x)
{
    static float prediction[N], weaker[N];
    maskdm_options *o = rig_options("sampler", text);
    const int32_t null = -1;
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    double times[STEPS];
    int guided = 0;

    MUST(maskdm_model_scheduler(&scheduler, m));
    MUST(maskdm_solver_create(&solver, scheduler, o));
    MUST(maskdm_solver_times(solver, times, STEPS));
    MUST(maskdm_solver_begin(solver, 1, N, x));
    for (int64_t e = 0; e < maskdm_solver_evaluations(solver); e++) {
        MUST(maskdm_solver_input(solver, x, NULL, NULL, NULL));
        MUST(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, times + e, &label, NULL, 0, prediction));
        if (maskdm_solver_guidance(solver) != 1) {
            MUST(maskdm_model_predict(guide ? guide : m, MASKDM_WEIGHTS_EMA, 1, x, times + e, guide ? &label : &null,
                                      NULL, 0, weaker));
            MUST(maskdm_solver_guide(solver, C, prediction, weaker));
            guided++;
        }
        MUST(maskdm_solver_step(solver, x, prediction, NULL, NULL));
    }
    ck_assert(maskdm_solver_guidance(solver) == 1);
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&o);
    return guided;
}

static void expect_loop(maskdm_model *m, const char *text, int count, int expected)
{
    static float hand[N], a[MANY * N];
    const int32_t labels[MANY] = {2, -1, 1, 0, 2, 1, 1, 0};
    maskdm_sampler *s = rig_sampler(m, text);

    fill(a, count);
    memcpy(hand, a, sizeof hand);
    ck_assert_int_eq(loop_guided(m, NULL, text, labels[0], hand), expected);
    MUST(maskdm_sampler_run_from(s, count, a, NULL, labels));
    ck_assert_mem_eq(a, hand, sizeof hand);
    maskdm_sampler_release(&s);
}

/* Of six evaluations; edm's are at sigmas of 80, 24.4, 5.84, 0.96, 0.085 and 0.002. */
START_TEST(guidance_acts_where_it_is_told)
{
    maskdm_model *m = model_in("process=edm", "threads=1", "classes=3");

    expect_loop(m, "sampler=euler steps=6 guidance=3", 3, 6);
    expect_loop(m, "sampler=euler steps=6 guidance=3 guidance_low=0.5 guidance_high=25", 1, 3);
    expect_loop(m, "sampler=euler steps=6 guidance=3 guidance_low=0.5", 2, 4);
    expect_loop(m, "sampler=euler steps=6 guidance=3 guidance_high=0.5", 2, 2);
    expect_loop(m, "sampler=euler steps=6 guidance=3 guidance_channels=2 batch_size=2", 5, 6);
    expect_loop(m, "sampler=euler guidance=3 guidance_low=2 guidance_high=8 times=80,8,4,2,1,0", 2, 3);
    expect_loop(m, "sampler=euler guidance=3 guidance_low=2 guidance_high=8 guidance_ends=false times=80,8,4,2,1,0",
                2, 1);
    maskdm_model_release(&m);
}
END_TEST

/* The channels that are not guided are those of the network. */
START_TEST(guidance_of_some_channels)
{
    maskdm_options *o = rig_options("sampler", "sampler=ddim steps=2 guidance=4 guidance_channels=2");
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    float x[6] = {0}, prediction[6] = {1, 2, 3, 4, 5, 6};
    const float weaker[6] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}, expected[6] = {2.5f, 6.5f, 3, 14.5f, 18.5f, 6};

    MUST(maskdm_scheduler_create(&scheduler, NULL));
    MUST(maskdm_solver_create(&solver, scheduler, o));
    ck_assert_int_eq(maskdm_solver_guide(solver, 3, prediction, weaker), MASKDM_EINVAL);
    MUST(maskdm_solver_begin(solver, 2, 3, x));
    ck_assert(maskdm_solver_guidance(solver) == 4);
    ck_assert_int_eq(maskdm_solver_guide(solver, 3, prediction, weaker), MASKDM_EINVAL);
    MUST(maskdm_solver_input(solver, x, NULL, NULL, NULL));
    ck_assert_int_eq(maskdm_solver_guide(solver, 4, prediction, weaker), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "6 values are no pixels of 4 channels");
    ck_assert_int_eq(maskdm_solver_guide(solver, 1, prediction, weaker), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "guidance_channels 2 of images with 1 channels");
    MUST(maskdm_solver_guide(solver, 3, prediction, weaker));
    ck_assert_mem_eq(prediction, expected, sizeof prediction);
    maskdm_solver_release(&solver);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&o);
}
END_TEST

/* A host's denoiser that counts what it is asked. */
struct count {
    int calls;
    int64_t most, asked; /* images in a call, and in all */
};

static int denoise(void *user, int64_t count, const float *x, double time, const int32_t *labels, float *prediction)
{
    struct count *h = user;

    h->calls++;
    h->most = count > h->most ? count : h->most;
    h->asked += count;
    for (int64_t i = 0; i < count * N; i++)
        prediction[i] = x[i] / (float)(1 + time) + (labels ? (float)labels[i / N] : -1);
    return 0;
}

/* Outside of its interval and for null labels nothing is asked twice; within, both are asked in one batch. */
START_TEST(guidance_asks_once_where_it_can)
{
    static float x[3 * N];
    const int32_t labels[] = {2, -1, 0}, null[] = {-1, -1, -1};
    struct count h = {0};
    maskdm_device *device = rig_device("threads=1");
    maskdm_options *o =
        rig_options("sampler", "sampler=euler guidance=3 guidance_low=2 guidance_high=8 times=80,8,4,2,1,0");
    maskdm_options *so = rig_options("scheduler", "process=edm");
    maskdm_scheduler *scheduler;
    maskdm_sampler *s;

    MUST(maskdm_scheduler_create(&scheduler, so));
    MUST(maskdm_sampler_create_custom(&s, device, scheduler, H, W, C, 3, denoise, NULL, &h, o, NULL));
    MUST(maskdm_sampler_run_from(s, 3, x, NULL, labels));
    ck_assert_int_eq(h.calls, 5);
    ck_assert_int_eq(h.most, 6);
    ck_assert_int_eq(h.asked, 2 * 3 + 3 * 6);
    h = (struct count){0};
    MUST(maskdm_sampler_run_from(s, 3, x, NULL, null));
    MUST(maskdm_sampler_run_from(s, 3, x, NULL, NULL));
    ck_assert_int_eq(h.calls, 10);
    ck_assert_int_eq(h.asked, 30);
    maskdm_sampler_release(&s);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&so);
    maskdm_options_release(&o);
    maskdm_device_release(&device);
}
END_TEST

static maskdm_sampler *guided_sampler(maskdm_model *m, maskdm_model *guide, const char *text)
{
    maskdm_options *o = rig_options("sampler", text);
    maskdm_sampler *s;

    MUST(maskdm_sampler_create_guided(&s, m, MASKDM_WEIGHTS_EMA, guide, MASKDM_WEIGHTS_EMA, o, NULL));
    maskdm_options_release(&o);
    return s;
}

/* A guide: another network for the same images, told the labels or not, and needed by the sampler alone. */
START_TEST(a_second_model_guides)
{
    static const char how[] = "sampler=ddim steps=6 eta=0 guidance=2.5 guidance_low=1";
    static float hand[2][N], a[3 * N], b[3 * N], c[N];
    const int32_t labels[] = {1, 2, -1};
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *m = model_on(d, DISCRETE, "classes=3"), *weak = model_on(d, DISCRETE, "dim=16 depth=1 classes=3");
    maskdm_model *plain = model_on(d, DISCRETE, "dim=16 depth=1");
    maskdm_sampler *s = guided_sampler(m, weak, how), *unlabelled = guided_sampler(m, plain, how);
    maskdm_sampler *untold = guided_sampler(m, weak,
                                            "sampler=ddim steps=6 eta=0 guidance=2.5 guidance_low=1 "
                                            "guidance_labels=false");

    fill(a, 3);
    fill(b, 3);
    fill(c, 1);
    fill(&hand[0][0], 2);
    ck_assert_int_gt(loop_guided(m, weak, how, labels[0], hand[0]), 2);
    ck_assert_int_lt(loop_guided(m, plain, how, labels[0], hand[1]), STEPS);
    maskdm_model_release(&plain);
    maskdm_model_release(&weak);
    MUST(maskdm_sampler_run_from(s, 3, a, NULL, labels));
    ck_assert_mem_eq(a, hand[0], sizeof hand[0]);
    MUST(maskdm_sampler_run_from(unlabelled, 1, c, NULL, labels));
    ck_assert_mem_eq(c, hand[1], sizeof c);
    MUST(maskdm_sampler_run_from(untold, 3, b, NULL, labels));
    ck_assert_mem_ne(a, b, sizeof c);
    ck_assert_mem_eq(a + 2 * N, b + 2 * N, sizeof c); /* told -1, or nothing */
    maskdm_sampler_release(&s);
    maskdm_sampler_release(&untold);
    maskdm_sampler_release(&unlabelled);
    maskdm_model_release(&m);
    maskdm_device_release(&d);
}
END_TEST

/* What a step callback is told when it would write into the guide. */
struct meddler {
    maskdm_model *guide;
    int64_t elements;
    float *weights;
    int steps, busy;
};

static int meddle(void *user, const struct maskdm_step *step)
{
    struct meddler *with = user;

    (void)step;
    with->steps++;
    with->busy += maskdm_model_set_parameter(with->guide, MASKDM_WEIGHTS_EMA, 0, with->weights, with->elements) ==
                  MASKDM_EBUSY;
    return 0;
}

/* However images are drawn, nobody writes into the guide meanwhile. */
START_TEST(a_guide_is_at_work)
{
    const uint64_t through[] = {1, 2};
    static unsigned char pixel[2 * N];
    static float x[N];
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *m = model_on(d, DISCRETE, "classes=3"), *weak = model_on(d, DISCRETE, "dim=16 depth=1");
    maskdm_sampler *s = guided_sampler(m, weak, "sampler=ddim steps=3 guidance=2");
    struct meddler with = {.guide = weak, .elements = 1};
    int64_t shape[8];
    int rank = maskdm_model_parameter_shape(weak, 0, shape, 8);

    for (int k = 0; k < rank; k++)
        with.elements *= shape[k];
    with.weights = calloc((size_t)with.elements, sizeof *with.weights);
    ck_assert_ptr_nonnull(with.weights);
    maskdm_sampler_set_step(s, meddle, &with);
    MUST(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0));
    MUST(maskdm_sampler_run_from(s, 1, x, NULL, NULL));
    MUST(maskdm_sampler_run_between(s, through, 2, 2, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0));
    ck_assert_int_ge(with.steps, 9);
    ck_assert_int_eq(with.busy, with.steps);
    maskdm_sampler_release(&s);
    MUST(maskdm_model_set_parameter(weak, MASKDM_WEIGHTS_EMA, 0, with.weights, with.elements));
    free(with.weights);
    maskdm_model_release(&m);
    maskdm_model_release(&weak);
    maskdm_device_release(&d);
}
END_TEST

static void refused(maskdm_model *m, maskdm_model *guide, const char *text, const char *line)
{
    maskdm_options *o = rig_options("sampler", text);
    maskdm_sampler *s;
    int status = guide ? maskdm_sampler_create_guided(&s, m, MASKDM_WEIGHTS_EMA, guide, MASKDM_WEIGHTS_EMA, o, NULL)
                       : maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, o, NULL);

    ck_assert_int_lt(status, 0);
    ck_assert_str_eq(maskdm_last_error(), line);
    ck_assert_ptr_null(s);
    maskdm_options_release(&o);
}

START_TEST(guidance_that_cannot_be)
{
    static const char *const guides[][3] = {
        {DISCRETE, "classes=4",
         "the guide has 4 classes and the model 3; guidance_labels=false asks it without labels"},
        {DISCRETE, "image_size=8", "the guide's images are 8 x 8 x 3 and the model's 8 x 12 x 3"},
        {"process=flow", "", "the guide's process is flow and the model's discrete"},
        {"timesteps=50 schedule=cosine prediction=x0", "", "the guide predicts x0 and the model v"},
        {"timesteps=60 schedule=cosine prediction=v", "", "the guide has times 0 .. 59 and the model 0 .. 49"},
        {"timesteps=50 schedule=linear prediction=v", "",
         "at time 0 the guide's signal is 0.998999 and the model's 0.999126; one process is needed"}};
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *routed = model_on(d, DISCRETE, "depth=5 route_ratio=0.5 route_from=1");
    maskdm_model *m = model_on(d, DISCRETE, "classes=3"), *far = model_in(DISCRETE, "threads=1", "classes=3");

    refused(m, NULL, "guidance=2 guidance_low=5 guidance_high=2",
            "guidance_low 5 is above guidance_high 2; guidance acts from the lower ratio of noise to the higher");
    refused(m, NULL, "guidance=2 guidance_channels=4", "guidance_channels 4 of images with 3 channels");
    refused(m, NULL, "guidance_by=masked", "guidance_by goes with guidance, which is 1");
    refused(m, NULL, "guidance_channels=2", "guidance_channels goes with guidance, which is 1");
    refused(m, NULL, "guidance=2 guidance_parts=4", "guidance_parts goes with guidance_by masked, which is auto");
    refused(
        m, NULL, "guidance=2 guidance_labels=false",
        "guidance_labels false keeps labels from a guide, or from another guidance_by; here the weaker prediction "
        "is the one without the label");
    refused(m, NULL, "guidance=2 guidance_by=routed",
            "guidance_by routed needs a network trained with routing; no token of this one passes a block by");
    refused(routed, NULL, "guidance=2 guidance_by=path_drop",
            "guidance_by leaves a sprint's deep blocks out; this network uvit has none");
    refused(m, NULL, "guidance=2 guidance_by=masked guidance_parts=7",
            "guidance_parts 7 does not divide the 24 patches of an image");
    refused(routed, NULL, "guidance=2 guidance_by=routed guidance_route_ratio=1",
            "guidance_route_ratio 1 is not below 1");
    refused(routed, NULL, "guidance=2 guidance_by=routed guidance_route_ratio=0.04",
            "guidance_route_ratio 0.04 lets none of 24 patches pass");
    refused(m, far, "guidance=2", "the guide is on another device than the model");
    refused(m, m, "guidance=1", "a guide has no effect at guidance 1");
    refused(m, m, "guidance=2 guidance_by=masked",
            "guidance_by masked and a guide are two weaker predictions; one of them");
    for (size_t i = 0; i < sizeof guides / sizeof *guides; i++) {
        maskdm_model *guide = model_on(d, guides[i][0], guides[i][1]);

        refused(m, guide, "guidance=2", guides[i][2]);
        maskdm_model_release(&guide);
    }
    maskdm_model_release(&far);
    maskdm_model_release(&routed);
    maskdm_model_release(&m);
    maskdm_device_release(&d);
}
END_TEST

enum { VIEWS = 6 };

static void check_views(const char *network, const char *const *view)
{
    enum { COUNT = 5 };
    static float whole[VIEWS][COUNT * N], other[COUNT * N], one[N];
    const uint64_t seed = 44;
    const int32_t labels[] = {2, 1, 0, -1, 2};
    maskdm_model *m = model_in(DISCRETE, "threads=1", network), *m2 = model_in(DISCRETE, "threads=2", network);

    for (int i = 0; i < VIEWS; i++) {
        char text[160];
        maskdm_sampler *all, *few;

        snprintf(text, sizeof text, "sampler=ddim steps=4 seed=40 %s", view[i]);
        all = rig_sampler(m, text);
        snprintf(text, sizeof text, "sampler=ddim steps=4 seed=40 batch_size=2 %s", view[i]);
        few = rig_sampler(m2, text);
        MUST(maskdm_sampler_run(all, COUNT, NULL, labels, MASKDM_SAMPLE_FLOAT, whole[i], 0, 0));
        MUST(maskdm_sampler_run(all, 1, &seed, labels + 4, MASKDM_SAMPLE_FLOAT, one, 0, 0));
        MUST(maskdm_sampler_run(few, COUNT, NULL, labels, MASKDM_SAMPLE_FLOAT, other, 0, 0));
        ck_assert_mem_eq(one, whole[i] + 4 * N, sizeof one);
        ck_assert_mem_eq(other, whole[i], sizeof other);
        for (int k = 0; k < i; k++)
            ck_assert_msg(memcmp(whole[k], whole[i], sizeof other), "%s and %s are the same", view[k], view[i]);
        maskdm_sampler_release(&few);
        maskdm_sampler_release(&all);
    }
    maskdm_model_release(&m);
    maskdm_model_release(&m2);
}

/* The network's own poorer view needs no label, and leaves an image to its seed. */
START_TEST(a_poorer_view_guides)
{
    static const struct {
        const char *network, *view[VIEWS];
    } cases[] = {{"depth=5 route_ratio=0.5 route_from=1 classes=3",
                  {"", "guidance=2 guidance_by=masked", "guidance=2 guidance_by=masked guidance_parts=6",
                   "guidance=2 guidance_by=masked guidance_labels=false", "guidance=2 guidance_by=routed",
                   "guidance=2 guidance_by=routed guidance_route_ratio=0.8"}},
                 {"depth=5 sprint=1 classes=3",
                  {"", "guidance=2", "guidance=2 guidance_by=masked", "guidance=2 guidance_by=path_drop",
                   "guidance=2 guidance_by=path_drop guidance_labels=false",
                   "guidance=3 guidance_by=path_drop guidance_labels=false"}}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_views(cases[i].network, cases[i].view);
}
END_TEST

/* With too little memory for both predictions at once they come one after the other, to the same bytes. */
START_TEST(guidance_in_little_memory)
{
    static float a[MANY * N], b[MANY * N];
    static const char how[] = "sampler=euler steps=3 guidance=3 batch_size=8";
    const int32_t labels[MANY] = {2, -1, 1, 0, 2, 1, 1, 0};
    maskdm_options *network = rig_options("uvit", "image_size=8x12 patch_size=2 dim=32 depth=3 heads=2 classes=3");
    maskdm_device *roomy = rig_device("threads=1"), *tight;
    maskdm_options *o = rig_options("device", "threads=1");
    maskdm_model *m = model_on(roomy, DISCRETE, "classes=3");
    maskdm_sampler *s;
    size_t bytes;

    s = rig_sampler(m, how);
    MUST(maskdm_sampler_run(s, MANY, NULL, labels, MASKDM_SAMPLE_FLOAT, a, 0, 0));
    MUST(maskdm_model_estimate(&bytes, roomy, "uvit", network, 0, MANY, 0));
    ck_assert_uint_gt(maskdm_device_memory_used(roomy), bytes);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
    MUST(maskdm_options_set_int(o, "memory_limit", (int64_t)bytes));
    MUST(maskdm_device_open(&tight, "cpu", o));
    m = model_on(tight, DISCRETE, "classes=3");
    s = rig_sampler(m, how);
    MUST(maskdm_sampler_run(s, MANY, NULL, labels, MASKDM_SAMPLE_FLOAT, b, 0, 0));
    ck_assert_mem_eq(a, b, sizeof a);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
    maskdm_options_release(&network);
    maskdm_options_release(&o);
    maskdm_device_release(&roomy);
    maskdm_device_release(&tight);
}
END_TEST

/* A picture whose first `far` columns are others, and a hole that begins in the fifth. */
static int paint(maskdm_sampler *s, int far, unsigned char *out)
{
    unsigned char data[N], mask[H * W];
    maskdm_options *o = rig_options("inpaint", "surround=1");
    maskdm_image *image, *hole;
    int status;

    for (int i = 0; i < N; i++)
        data[i] = (unsigned char)(i / C % W < far ? 255 - i % 200 : i % 200);
    for (int i = 0; i < H * W; i++)
        mask[i] = i % W >= 4 ? 255 : 0;
    MUST(maskdm_image_create(&image, H, W, C, MASKDM_SAMPLE_U8, data, 0));
    MUST(maskdm_image_create(&hole, H, W, 1, MASKDM_SAMPLE_U8, mask, 0));
    status = maskdm_sampler_set_hole(s, (const maskdm_image *const[]){image}, 1, hole, o);
    maskdm_image_release(&image);
    maskdm_image_release(&hole);
    maskdm_options_release(&o);
    MUST(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_U8, out, 0, 0));
    for (int i = 0; i < N; i++)
        out[i] = status < 0 || i / C % W >= 4 ? out[i] : 0;
    return status;
}

/* What the network is not shown of a picture, its guide is not shown either; one that divides all of it among its
 * parts cannot leave any out, and says so. */
START_TEST(a_guide_sees_no_more)
{
    static unsigned char near[N], far[N], plain[N];
    maskdm_device *d = rig_device("threads=1");
    maskdm_model *m = model_on(d, DISCRETE, ""), *weak = model_on(d, DISCRETE, "dim=16 depth=1");
    maskdm_sampler *s = guided_sampler(m, weak, "sampler=ddim steps=4 guidance=2");

    MUST(paint(s, 0, near));
    MUST(paint(s, 2, far)); /* a patch is two columns wide */
    ck_assert_mem_eq(near, far, N);
    MUST(paint(s, 3, far));
    ck_assert_mem_ne(near, far, N);
    maskdm_sampler_release(&s);
    s = rig_sampler(m, "sampler=ddim steps=4 guidance=2 guidance_by=masked");
    MUST(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_U8, plain, 0, 0));
    ck_assert_int_eq(paint(s, 0, far), MASKDM_EINVAL);
    ck_assert_mem_eq(plain, far, N);
    maskdm_sampler_release(&s);
    maskdm_model_release(&m);
    maskdm_model_release(&weak);
    maskdm_device_release(&d);
}
END_TEST

int main(void)
{
    const TTest *const test[] = {
        guidance_acts_where_it_is_told, guidance_of_some_channels, guidance_asks_once_where_it_can,
        guidance_in_little_memory,      a_second_model_guides,     a_guide_is_at_work,
        guidance_that_cannot_be,        a_poorer_view_guides,      a_guide_sees_no_more};

    return rig_run("guidance", test, sizeof test / sizeof *test);
}
