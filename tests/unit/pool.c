/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread pool: every index once, no worker twice at a time, callers in turn. Also run under
 * ThreadSanitizer (-Db_sanitize=thread).
 */
#include "base/alloc.h"
#include "base/error.h"
#include "os/pool.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, N = 5000 };

struct work {
    int hits[N];              /* by index */
    int64_t sum[THREADS][16]; /* by worker, apart */
    int bad_worker;
};

static void body(void *arg, int64_t i, int worker)
{
    struct work *w = arg;

    if (worker < 0 || worker >= THREADS)
        w->bad_worker = 1;
    w->hits[i]++;
    w->sum[worker][0] += i;
}

static int64_t run_and_check(struct mdm_pool *p, int n)
{
    struct work *w = calloc(1, sizeof *w);
    int64_t sum = 0;

    ck_assert_int_eq(mdm_pool_run(p, n, body, w), MASKDM_OK);
    ck_assert(!w->bad_worker);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(w->hits[i], i < n);
    for (int i = 0; i < THREADS; i++)
        sum += w->sum[i][0];
    free(w);
    return sum;
}

START_TEST(every_index_once)
{
    struct mdm_pool *p;

    for (int threads = 1; threads <= THREADS; threads++) {
        ck_assert_int_eq(mdm_pool_create(&p, threads, NULL, NULL), MASKDM_OK);
        ck_assert_int_eq(mdm_pool_threads(p), threads);
        for (int n = 0; n <= 10; n++)
            ck_assert_int_eq(run_and_check(p, n), n * (n - 1) / 2);
        ck_assert_int_eq(run_and_check(p, N), (int64_t)N * (N - 1) / 2);
        mdm_pool_release(&p);
        ck_assert_ptr_null(p);
    }
    mdm_pool_release(&p);
    ck_assert_int_eq(run_and_check(NULL, 100), 4950);
    ck_assert_int_eq(mdm_pool_threads(NULL), 1);
    ck_assert_int_eq(mdm_pool_create(&p, 0, NULL, NULL), MASKDM_EINVAL);
}
END_TEST

/* A reused or lost round would drop or double an addition, or hang. */
START_TEST(thousands_of_tiny_loops)
{
    struct mdm_pool *p;
    struct work *w = calloc(1, sizeof *w);

    ck_assert_int_eq(mdm_pool_create(&p, 3, NULL, NULL), MASKDM_OK);
    for (int i = 0; i < 5000; i++) {
        ck_assert_int_eq(mdm_pool_run(p, 1 + i % 5, body, w), MASKDM_OK);
        if (i % 500 == 0)
            usleep(2000); /* long enough for the workers to fall asleep */
    }
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(w->hits[i], 1000 * (5 - i));
    mdm_pool_release(&p);
    free(w);
}
END_TEST

static void slow_body(void *arg, int64_t i, int worker)
{
    usleep(i == 0 ? 100 : 3000);
    body(arg, i, worker);
}

START_TEST(caller_sleeps_until_the_last_is_done)
{
    struct mdm_pool *p;
    struct work *w = calloc(1, sizeof *w);

    ck_assert_int_eq(mdm_pool_create(&p, 2, NULL, NULL), MASKDM_OK);
    for (int i = 1; i <= 20; i++) {
        ck_assert_int_eq(mdm_pool_run(p, 2, slow_body, w), MASKDM_OK);
        ck_assert_int_eq(w->hits[0], i);
        ck_assert_int_eq(w->hits[1], i);
    }
    mdm_pool_release(&p);
    free(w);
}
END_TEST

struct caller {
    struct mdm_pool *pool;
    struct work *work;
};

static void guarded_body(void *arg, int64_t i, int worker)
{
    body(((struct caller *)arg)->work, i, worker);
}

static void *call_often(void *arg)
{
    struct caller *c = arg;

    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(mdm_pool_run(c->pool, 20, guarded_body, c), MASKDM_OK);
    return NULL;
}

/* Both callers share one sum per worker: without turns the additions would collide. */
START_TEST(callers_take_turns)
{
    struct mdm_pool *p;
    struct work *w = calloc(1, sizeof *w);
    struct caller c[2];
    pthread_t t[2];
    int64_t sum = 0;

    for (int threads = 1; threads <= 3; threads += 2) {
        memset(w, 0, sizeof *w);
        sum = 0;
        ck_assert_int_eq(mdm_pool_create(&p, threads, NULL, NULL), MASKDM_OK);
        for (int i = 0; i < 2; i++) {
            c[i].pool = p;
            c[i].work = w;
            ck_assert_int_eq(pthread_create(&t[i], NULL, call_often, &c[i]), 0);
        }
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(pthread_join(t[i], NULL), 0);
        for (int i = 0; i < THREADS; i++)
            sum += w->sum[i][0];
        ck_assert_int_eq(sum, 2 * 300 * 190);
        for (int i = 0; i < 20; i++)
            ck_assert_int_eq(w->hits[i], 600);
        mdm_pool_release(&p);
    }
    free(w);
}
END_TEST

static void host_loop(void *user, int64_t n, void (*run)(void *arg, int64_t i, int worker), void *arg)
{
    ++*(int *)user;
    for (int64_t i = n - 1; i >= 0; i--)
        run(arg, i, (int)(i % 2));
}

START_TEST(hosts_loop_is_used)
{
    struct mdm_pool *p;
    int calls = 0;

    ck_assert_int_eq(mdm_pool_create(&p, 2, host_loop, &calls), MASKDM_OK);
    ck_assert_int_eq(mdm_pool_threads(p), 2);
    ck_assert_int_eq(run_and_check(p, 100), 4950);
    ck_assert_int_eq(calls, 1);
    mdm_pool_release(&p);
}
END_TEST

static void look_at_signals(void *arg, int64_t i, int worker)
{
    sigset_t now;

    (void)i;
    usleep(500);
    if (worker &&
        (pthread_sigmask(SIG_SETMASK, NULL, &now) || !sigismember(&now, SIGINT) || !sigismember(&now, SIGUSR1)))
        *(int *)arg = 1;
}

START_TEST(workers_take_no_signals)
{
    struct mdm_pool *p;
    sigset_t before, after;
    int open = 0;

    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    ck_assert_int_eq(mdm_pool_create(&p, 2, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    ck_assert_int_eq(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    ck_assert_int_eq(mdm_pool_run(p, 20, look_at_signals, &open), MASKDM_OK);
    ck_assert_int_eq(open, 0);
    mdm_pool_release(&p);
}
END_TEST

static int refuse(void *user, size_t bytes)
{
    (void)user;
    (void)bytes;
    return 1;
}

START_TEST(failed_creation_leaves_nothing)
{
    struct mdm_alloc_hook hook = {refuse, NULL};
    struct mdm_pool *p;
    long live = mdm_alloc_live();

    mdm_alloc_hook_set(&hook);
    ck_assert_int_eq(mdm_pool_create(&p, 2, NULL, NULL), MASKDM_ENOMEM);
    mdm_alloc_hook_set(NULL);
    ck_assert_ptr_null(p);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

static int fail_some(void *arg, int64_t i, int worker)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    (void)worker;
    return i == 40 || i == 41 || i == 90 ? mdm_fail(MASKDM_EIO, "index %lld", (long long)i) : MASKDM_OK;
}

START_TEST(the_lowest_failure_is_told)
{
    for (int threads = 1; threads <= 4; threads++) {
        struct mdm_pool *p;
        atomic_int ran;

        atomic_init(&ran, 0);
        ck_assert_int_eq(mdm_pool_create(&p, threads, NULL, NULL), MASKDM_OK);
        for (int k = 0; k < 50; k++) {
            ck_assert_int_eq(mdm_pool_try(p, 100, fail_some, &ran), MASKDM_EIO);
            ck_assert_str_eq(mdm_error_text(), "index 40");
        }
        ck_assert_int_eq(atomic_load(&ran), 5000);
        ck_assert_int_eq(mdm_pool_try(p, 40, fail_some, &ran), MASKDM_OK);
        mdm_pool_release(&p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pool");
    TCase *t = tcase_create("pool");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, every_index_once);
    tcase_add_test(t, thousands_of_tiny_loops);
    tcase_add_test(t, caller_sleeps_until_the_last_is_done);
    tcase_add_test(t, callers_take_turns);
    tcase_add_test(t, hosts_loop_is_used);
    tcase_add_test(t, workers_take_no_signals);
    tcase_add_test(t, the_lowest_failure_is_told);
    tcase_add_test(t, failed_creation_leaves_nothing);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
