/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host's parallel loop that breaks its contract: whatever it does, no index runs twice or out of range, no worker
 * runs two at once, and the loop fails with a sentence. Afterwards the same device works with a loop that is right.
 */
#include "base/error.h"
#include "os/pool.h"

#include <maskdm/maskdm.h>

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 3, N = 24 };

struct seen {
    atomic_int ran[N], by[WORKERS], wrong, delay, last_is_slow;
};

typedef void (*body_of)(void *arg, int64_t i, int worker);

struct host {
    void (*loop)(struct host *h, int64_t n, body_of body, void *arg);
    body_of body; /* what a thread calls late */
    void *arg;
    int64_t n;
    pthread_t thread[2];
    int threads, together;
    atomic_int go, arrived;
    struct seen *seen;
    struct mdm_pool *pool; /* for a loop that comes back in */
    int again;
};

static void run_host(void *user, int64_t n, body_of body, void *arg)
{
    struct host *h = user;

    h->loop(h, n, body, arg);
}

static void right(struct host *h, int64_t n, body_of body, void *arg)
{
    (void)h;
    for (int64_t i = n - 1; i >= 0; i--)
        body(arg, i, (int)(i % WORKERS));
}

static void nothing(struct host *h, int64_t n, body_of body, void *arg)
{
    (void)h;
    (void)n;
    (void)body;
    (void)arg;
}

static void all_but_one(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n - 1, body, arg);
}

static void one_twice(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n, body, arg);
    body(arg, n / 2, 0);
}

static void one_instead_of_another(struct host *h, int64_t n, body_of body, void *arg)
{
    (void)h;
    for (int64_t i = 0; i < n; i++)
        body(arg, i == 1 ? 0 : i, 0);
}

static void everything_twice(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n, body, arg);
    right(h, n, body, arg);
}

static void index_below(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n, body, arg);
    body(arg, -1, 0);
}

static void index_above(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n, body, arg);
    body(arg, n, 0);
}

static void index_huge(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n - 1, body, arg);
    body(arg, INT64_MAX, 0);
}

static void worker_below(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n - 1, body, arg);
    body(arg, n - 1, -1);
}

static void worker_above(struct host *h, int64_t n, body_of body, void *arg)
{
    right(h, n - 1, body, arg);
    body(arg, n - 1, WORKERS);
}

static void worker_huge(struct host *h, int64_t n, body_of body, void *arg)
{
    (void)h;
    for (int64_t i = 0; i < n; i++)
        body(arg, i, 1 << 30);
}

/* The last call waits until the test joins, where the loop is to be late. */
static void *call_all(void *arg)
{
    struct host *h = arg;

    atomic_fetch_add(&h->arrived, 1);
    while (atomic_load(&h->arrived) < h->together)
        usleep(50);
    for (int64_t i = 0; i < h->n; i++) {
        while (i == h->n - 1 && !atomic_load(&h->go))
            usleep(100);
        h->body(h->arg, i, 0);
    }
    return NULL;
}

static void start(struct host *h, int64_t n, body_of body, void *arg, int threads, int late)
{
    h->body = body;
    h->arg = arg;
    h->n = n;
    h->together = threads;
    atomic_store(&h->arrived, 0);
    atomic_store(&h->go, !late);
    for (h->threads = 0; h->threads < threads; h->threads++)
        ck_assert_int_eq(pthread_create(&h->thread[h->threads], NULL, call_all, h), 0);
}

static void join(struct host *h)
{
    atomic_store(&h->go, 1);
    for (; h->threads; h->threads--)
        ck_assert_int_eq(pthread_join(h->thread[h->threads - 1], NULL), 0);
}

static void same_worker_at_once(struct host *h, int64_t n, body_of body, void *arg)
{
    start(h, n, body, arg, 2, 0);
    join(h);
}

/* Their thread goes on after they have returned; the test joins it. */
static void back_early(struct host *h, int64_t n, body_of body, void *arg)
{
    start(h, n, body, arg, 1, 1);
}

static void back_while_running(struct host *h, int64_t n, body_of body, void *arg)
{
    atomic_store(&h->seen->last_is_slow, 1);
    start(h, n, body, arg, 1, 0);
    while (!atomic_load(&h->seen->ran[N - 1]))
        usleep(100);
}

static void nobody(void *arg, int64_t i, int worker)
{
    (void)arg;
    (void)i;
    (void)worker;
}

static void comes_back_in(struct host *h, int64_t n, body_of body, void *arg)
{
    if (h->pool)
        h->again = mdm_pool_run(h->pool, 2, nobody, NULL);
    right(h, n, body, arg);
}

static const struct {
    void (*loop)(struct host *h, int64_t n, body_of body, void *arg);
    const char *line;
} broken[] = {{nothing, "before all of 24"},
              {all_but_one, "before all of 24"},
              {one_twice, "ran index 12 when all were"},
              {one_instead_of_another, "an index twice and left out another"},
              {everything_twice, "ran index 23 when all were"},
              {index_below, "ran index -1"},
              {index_above, "ran index 24"},
              {index_huge, "ran index 9223372036854775807"},
              {worker_below, "called worker -1; there are 0 .. 2"},
              {worker_above, "called worker 3"},
              {worker_huge, "called worker 1073741824"},
              {back_early, "before all of 24"},
              /* of loops that take their time */
              {same_worker_at_once, "two calls at once as worker 0"},
              {back_while_running, "before all of 24"}};
enum { BROKEN = sizeof broken / sizeof *broken, SLOW = 2 };

static void body(void *arg, int64_t i, int worker)
{
    struct seen *s = arg;

    if (i < 0 || i >= N || worker < 0 || worker >= WORKERS || atomic_fetch_add(&s->by[worker], 1) ||
        atomic_fetch_add(&s->ran[i], 1))
        atomic_store(&s->wrong, 1);
    if (atomic_load(&s->delay))
        usleep(atomic_load(&s->last_is_slow) && i == N - 1 ? 300000 : 300);
    if (worker >= 0 && worker < WORKERS)
        atomic_fetch_sub(&s->by[worker], 1);
}

START_TEST(no_body_is_harmed)
{
    struct host h = {.loop = broken[_i].loop};
    struct seen *s = calloc(1, sizeof *s);
    struct mdm_pool *p;

    h.seen = s;
    ck_assert_int_eq(mdm_pool_create(&p, WORKERS, run_host, &h), MASKDM_OK);
    atomic_store(&s->delay, 1);
    ck_assert_int_eq(mdm_pool_run(p, N, body, s), MASKDM_EDEVICE);
    ck_assert_msg(strstr(mdm_error_text(), broken[_i].line) != NULL, "%s", mdm_error_text());
    ck_assert(!atomic_load(&s->wrong));
    join(&h); /* whose late calls find nothing to do */
    ck_assert(!atomic_load(&s->wrong));
    memset(s, 0, sizeof *s);
    h.loop = right;
    ck_assert_int_eq(mdm_pool_run(p, N, body, s), MASKDM_OK);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(atomic_load(&s->ran[i]), 1);
    ck_assert(!atomic_load(&s->wrong));
    mdm_pool_release(&p);
    free(s);
}
END_TEST

START_TEST(loop_that_comes_back_in)
{
    struct host h = {.loop = comes_back_in};
    struct seen *s = calloc(1, sizeof *s);

    ck_assert_int_eq(mdm_pool_create(&h.pool, WORKERS, run_host, &h), MASKDM_OK);
    ck_assert_int_eq(mdm_pool_run(h.pool, N, body, s), MASKDM_OK);
    ck_assert_int_eq(h.again, MASKDM_EBUSY);
    mdm_pool_release(&h.pool);
    free(s);
}
END_TEST

/* ---- through the public calls ---- */

#define MUST(call) ck_assert_msg((call) >= 0, "%s: %s", #call, maskdm_last_error())

static maskdm_options *options(const char *kind, const char *text)
{
    maskdm_options *o;

    MUST(maskdm_options_create(&o, kind));
    MUST(maskdm_options_parse(o, text));
    return o;
}

static maskdm_model *make_model(maskdm_device *dev)
{
    maskdm_options *n = options("uvit", "image_size=8 patch_size=2 channels=3 dim=16 depth=3 heads=2");
    maskdm_model *m;

    MUST(maskdm_model_create(&m, dev, "uvit", n, NULL, 1));
    maskdm_options_release(&n);
    return m;
}

static int sample(maskdm_model *m, unsigned char *out)
{
    maskdm_options *o = options("sampler", "steps=2");
    maskdm_sampler *s;
    int status;

    MUST(maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, o, NULL));
    status = maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_U8, out, 0, 0);
    maskdm_sampler_release(&s);
    maskdm_options_release(&o);
    return status;
}

static int fetch(void *user, int64_t index, float *image, int32_t *label)
{
    (void)user;
    *label = -1;
    for (int i = 0; i < 8 * 8 * 3; i++)
        image[i] = (float)((i + index) % 7) / 6;
    return 0;
}

static maskdm_trainer *make_trainer(maskdm_model *m)
{
    maskdm_options *o = options("trainer", "batch_size=2");
    maskdm_optimizer *optimizer;
    maskdm_trainer *t;

    MUST(maskdm_optimizer_create(&optimizer, NULL, NULL));
    MUST(maskdm_trainer_create(&t, m, NULL, optimizer, o, NULL));
    maskdm_optimizer_release(&optimizer);
    maskdm_options_release(&o);
    return t;
}

START_TEST(work_fails_with_a_sentence_and_goes_on)
{
    struct host h = {.loop = right};
    unsigned char want[2 * 8 * 8 * 3], got[2 * 8 * 8 * 3];
    maskdm_device *dev;
    maskdm_model *m;
    maskdm_trainer *t;
    maskdm_data *d;

    MUST(maskdm_device_open_hosted(&dev, NULL, run_host, WORKERS, &h));
    m = make_model(dev);
    t = make_trainer(m);
    MUST(maskdm_data_create_callback(&d, dev, 4, 8, 8, 3, fetch, NULL, NULL));
    MUST(sample(m, want));
    h.loop = broken[_i].loop;
    ck_assert_int_eq(sample(m, got), MASKDM_EDEVICE);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "the host's parallel loop "));
    join(&h);
    ck_assert_int_eq(maskdm_trainer_step(t, d), MASKDM_EDEVICE);
    join(&h);
    ck_assert_int_eq(maskdm_trainer_steps(t), 0);
    h.loop = right;
    MUST(sample(m, got));
    ck_assert_mem_eq(got, want, sizeof want);
    MUST(maskdm_trainer_step(t, d));
    maskdm_data_release(&d);
    maskdm_trainer_release(&t);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
}
END_TEST

/* The loop breaks in the middle of an update, the one thing that cannot be taken back. */
static int countdown;

static void breaks_in_the_end(struct host *h, int64_t n, body_of body_, void *arg)
{
    if (countdown-- > 0)
        right(h, n, body_, arg);
}

START_TEST(half_an_update_is_not_gone_on_from)
{
    struct host h = {.loop = right};
    maskdm_device *dev;
    maskdm_model *m;
    maskdm_trainer *t;
    maskdm_data *d;
    int loops, status = MASKDM_OK;

    MUST(maskdm_device_open_hosted(&dev, NULL, run_host, WORKERS, &h));
    m = make_model(dev);
    MUST(maskdm_data_create_callback(&d, dev, 4, 8, 8, 3, fetch, NULL, NULL));
    t = make_trainer(m);
    countdown = 1 << 20;
    h.loop = breaks_in_the_end;
    MUST(maskdm_trainer_step(t, d));
    loops = (1 << 20) - countdown; /* the last is the update */
    MUST(maskdm_trainer_save(t, "unit_hosted.state"));
    countdown = loops - 1;
    ck_assert_int_eq(maskdm_trainer_step(t, d), MASKDM_EDEVICE);
    h.loop = right;
    status = maskdm_trainer_step(t, d);
    ck_assert_int_eq(status, MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "broke off half-way"));
    ck_assert_int_eq(maskdm_trainer_save(t, "unit_hosted.other"), MASKDM_EINVAL);
    MUST(maskdm_trainer_load(t, "unit_hosted.state"));
    MUST(maskdm_trainer_step(t, d));
    ck_assert_int_eq(maskdm_trainer_steps(t), 2);
    (void)unlink("unit_hosted.state");
    maskdm_data_release(&d);
    maskdm_trainer_release(&t);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hosted");
    TCase *c = tcase_create("hosted");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, no_body_is_harmed, 0, BROKEN);
    tcase_add_test(c, loop_that_comes_back_in);
    tcase_add_loop_test(c, work_fails_with_a_sentence_and_goes_on, 0, BROKEN - SLOW);
    tcase_add_test(c, half_an_update_is_not_gone_on_from);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
