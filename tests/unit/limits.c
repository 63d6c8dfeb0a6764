/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A process with little address space: BLAS is not touched where nothing needs it, and is refused with a line where
 * it would not get its memory, as a whole or for one more thread. Each case runs in a process of its own, since
 * limits and a loaded library stay.
 */
#include "backend/cpu/blas.h"
#include "backend/cpu/cpu.h"
#include "backend/device.h"
#include "base/error.h"
#include "os/limits.h"
#include "os/thread.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers map terabytes of shadow, so that no limit can be set. */
#if defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#    define SANITIZED 1
#  endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SANITIZED)
enum { LIMITS_WORK = 0 };
#else
enum { LIMITS_WORK = 1 };
#endif

/* 0 when `body` returned 0 in a child within ten seconds. */
static int in_child(int (*body)(void))
{
    int status = 0;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        alarm(10);
        _exit(body());
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static size_t mapped(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (!f || fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int leave_room(size_t bytes)
{
    struct rlimit r = {mapped() + bytes, mapped() + bytes};

    return setrlimit(RLIMIT_AS, &r);
}

static int maps_blas(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    int found = 0;

    while (f && fgets(line, sizeof line, f))
        found |= strstr(line, "openblas") != NULL;
    if (f)
        fclose(f);
    return found;
}

static int open_device(maskdm_device **d, const char *set)
{
    maskdm_options *o = NULL;
    int status = maskdm_options_create(&o, "device");

    if (!status)
        status = maskdm_options_parse(o, set);
    if (!status)
        status = maskdm_device_open(d, "cpu", o);
    maskdm_options_release(&o);
    return status;
}

static int multiplies_itself(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined(__aarch64__)
    return 1;
#else
    return 0;
#endif
}

static int see_room(void)
{
    if (leave_room(64 << 20))
        return 1;
    return !(mdm_limits_room(8 << 20) && !mdm_limits_room(256 << 20) && mdm_limits_room(8 << 20));
}

START_TEST(room_is_what_the_limit_leaves)
{
    if (LIMITS_WORK)
        ck_assert_int_eq(in_child(see_room), 0);
    ck_assert_uint_ge(mdm_limits_stack(), 16384);
}
END_TEST

/* One product of n x n ones on the device. */
static int multiply(maskdm_device *d, int64_t n)
{
    struct mdm_cpu *cpu = mdm_cpu_of(mdm_device_backend(d));
    struct mdm_gemm g = {.m = n, .n = n, .k = n, .lda = n, .ldb = n, .ldc = n};
    float *a = malloc((size_t)(n * n) * sizeof *a), *c = malloc((size_t)(n * n) * sizeof *c);
    int wrong = !a || !c;

    for (int64_t i = 0; !wrong && i < n * n; i++)
        a[i] = 1;
    g.a = g.b = a;
    g.c = c;
    wrong = wrong || cpu->f32.gemm(cpu, &g);
    for (int64_t i = 0; !wrong && i < n * n; i++)
        wrong = c[i] < (float)n || c[i] > (float)n;
    free(a);
    free(c);
    return wrong;
}

static int do_without_blas(void)
{
    maskdm_device *d;
    int wrong;

    if (LIMITS_WORK && leave_room(96 << 20))
        return 1;
    if (open_device(&d, "threads=2"))
        return 2;
    wrong = multiply(d, 300);
    maskdm_device_release(&d);
    return wrong ? 3 : maps_blas() ? 4 : 0;
}

START_TEST(own_kernels_do_without_blas)
{
    if (multiplies_itself())
        ck_assert_int_eq(in_child(do_without_blas), 0);
}
END_TEST

static int find_no_room(void)
{
    maskdm_device *d;

    if (leave_room(100 << 20))
        return 1;
    if (open_device(&d, "threads=1 instruction_set=c") != MASKDM_ENOMEM)
        return 2;
    if (!strstr(maskdm_last_error(), "ulimit -v") || maps_blas())
        return 3;
    if (!strstr(maskdm_last_error(), "OPENBLAS_NUM_THREADS=1 needs")) /* linked, with the threads that it started */
        return 0;
    if (setenv("OPENBLAS_NUM_THREADS", "1", 1) || open_device(&d, "threads=1 instruction_set=c") != MASKDM_ENOMEM)
        return 4;
    return strstr(maskdm_last_error(), "with 1 thread;") ? 0 : 5;
}

START_TEST(blas_without_room_is_refused)
{
    if (LIMITS_WORK)
        ck_assert_int_eq(in_child(find_no_room), 0);
}
END_TEST

static void *multiply_elsewhere(void *arg)
{
    maskdm_device *d = arg;

    return multiply(d, 200) && strstr(maskdm_last_error(), "one more thread") ? NULL : arg;
}

/* What has its memory goes on, and what would have none is told so. */
static int refuse_more_threads(void)
{
    maskdm_device *d, *more;
    pthread_t t;
    void *failed = &t;
    int wrong;

    /* Threads of BLAS's own start when they like, perhaps after the limit is set. */
    if (setenv("OPENBLAS_NUM_THREADS", "1", 1) || open_device(&d, "threads=1 instruction_set=c") ||
        leave_room(96 << 20))
        return 1;
    if (open_device(&more, "threads=4 instruction_set=c") != MASKDM_ENOMEM)
        return 2;
    if (!strstr(maskdm_last_error(), "ulimit -v") || pthread_create(&t, NULL, multiply_elsewhere, d))
        return 3;
    pthread_join(t, &failed);
    wrong = failed ? 4 : multiply(d, 300) ? 5 : 0;
    maskdm_device_release(&d);
    return wrong;
}

START_TEST(threads_without_room_are_refused)
{
    if (LIMITS_WORK)
        ck_assert_int_eq(in_child(refuse_more_threads), 0);
}
END_TEST

static void *stay(void *arg)
{
    (void)pause();
    return arg;
}

static int refuse_stacks(void)
{
    maskdm_device *d;
    pthread_t t;
    int status = MASKDM_OK;

    if (leave_room(4 << 20))
        return 1;
    /* Stacks of the parent's threads, BLAS's where it is linked, are at hand. */
    for (int i = 0; i < 100 && !status; i++)
        status = mdm_thread_start(&t, stay, NULL);
    if (status != MASKDM_ENOMEM || !strstr(maskdm_last_error(), "stack"))
        return 2;
    if (open_device(&d, "threads=5") != MASKDM_ENOMEM || !strstr(maskdm_last_error(), "worker thread 1 of 4: "))
        return multiplies_itself() ? 3 : 0;
    return strstr(maskdm_last_error(), "ulimit -v") ? 0 : 4;
}

static int refuse_users(void)
{
    struct rlimit r = {1, 1};
    pthread_t t;

    if (setrlimit(RLIMIT_NPROC, &r) || setgid(65534) || setuid(65534))
        return 1;
    if (mdm_thread_start(&t, stay, NULL) == MASKDM_OK)
        return 0; /* a system that does not count */
    return strstr(maskdm_last_error(), "(ulimit -u)") ? 0 : 3;
}

START_TEST(a_refused_thread_says_the_limit)
{
    if (LIMITS_WORK)
        ck_assert_int_eq(in_child(refuse_stacks), 0);
    if (getuid() == 0)
        ck_assert_int_eq(in_child(refuse_users), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("limits");
    TCase *c = tcase_create("limits");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(c, 60);
    tcase_add_test(c, room_is_what_the_limit_leaves);
    if (!maps_blas()) /* linked, as in a static build, it takes what it takes before we come */
        tcase_add_test(c, own_kernels_do_without_blas);
    if (!maps_blas() && mdm_blas_is_built()) {
        tcase_add_test(c, blas_without_room_is_refused);
        tcase_add_test(c, threads_without_room_are_refused);
    }
    tcase_add_test(c, a_refused_thread_says_the_limit);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
