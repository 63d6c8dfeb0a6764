/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory and transfers of a device, by the handle, on the CPU and on the device that MASKDM_TEST_DEVICE names
 * (MASKDM_TEST_MODULE is the file of its module): from any thread, beside the work of whoever has the turn, and while
 * a list of calls is noted.
 */
#include "backend/device.h"
#include "base/alloc.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static int on_device(void)
{
    const char *name = getenv("MASKDM_TEST_DEVICE");

    return name && *name;
}

static int open_named(maskdm_device **out, const char *name, const char *compute)
{
    const char *module = getenv("MASKDM_TEST_MODULE");
    maskdm_options *o;
    int status;

    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "threads=1"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(o, "module", module ? module : ""), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(o, "compute", compute), MASKDM_OK);
    status = maskdm_device_open(out, name, o);
    maskdm_options_release(&o);
    return status;
}

static maskdm_device *open_device(void)
{
    maskdm_device *d;
    const int status = open_named(&d, on_device() ? getenv("MASKDM_TEST_DEVICE") : "cpu", "auto");

    ck_assert_msg(status == MASKDM_OK, "%s", maskdm_last_error());
    return d;
}

static void *take(maskdm_device *d, size_t bytes)
{
    void *memory;

    ck_assert_msg(mdm_device_alloc(d, &memory, bytes, 0, "a test") == MASKDM_OK, "%s", maskdm_last_error());
    ck_assert_uint_eq((uintptr_t)memory % 64, 0);
    return memory;
}

static void draw(unsigned char *p, size_t bytes, uint32_t *state)
{
    for (size_t i = 0; i < bytes; i += sizeof *state) {
        *state = *state * 1664525 + 1013904223;
        memcpy(p + i, state, bytes - i < sizeof *state ? bytes - i : sizeof *state);
    }
}

/* There and back, by way of a copy, whose buffer is written over at once. */
static int goes_round(maskdm_device *d, size_t bytes, uint32_t seed)
{
    unsigned char *given = malloc(bytes + 1), *want = malloc(bytes + 1), *got = malloc(bytes + 1);
    void *a = NULL, *b = NULL;
    int fits;

    draw(want, bytes, &seed);
    memcpy(given, want, bytes);
    fits = mdm_device_alloc(d, &a, bytes, 0, "a test") == MASKDM_OK &&
           mdm_device_alloc(d, &b, bytes, 1, "a test") == MASKDM_OK &&
           mdm_device_upload(d, a, given, bytes) == MASKDM_OK;
    memset(given, 0xee, bytes);
    fits = fits && mdm_device_copy(d, b, a, bytes) == MASKDM_OK && mdm_device_fill(d, a, 0x55, bytes) == MASKDM_OK &&
           mdm_device_download(d, got, b, bytes) == MASKDM_OK && memcmp(got, want, bytes) == 0 &&
           mdm_device_download(d, got, a, bytes) == MASKDM_OK;
    memset(want, 0x55, bytes);
    fits = fits && memcmp(got, want, bytes) == 0;
    mdm_device_free(d, a, bytes);
    mdm_device_free(d, b, bytes);
    free(given);
    free(want);
    free(got);
    return fits;
}

START_TEST(data_go_there_and_back)
{
    static const size_t sizes[] = {0,       1,           63,          64,          65,
                                   4096,    MIB / 2 - 1, MIB / 2,     MIB / 2 + 1, 4 * MIB - 1,
                                   4 * MIB, 4 * MIB + 1, 9 * MIB + 7, 66 * MIB + 3};
    maskdm_device *d = open_device();

    for (int turn = 0; turn < 2; turn++) {
        if (turn)
            ck_assert_int_eq(mdm_device_enter(d), MASKDM_OK);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            ck_assert_msg(goes_round(d, sizes[i], (uint32_t)i), "%zu bytes %s the turn", sizes[i],
                          turn ? "in" : "out of");
        if (turn)
            mdm_device_leave(d);
    }
    ck_assert_uint_eq(maskdm_device_memory_used(d), 0);
    maskdm_device_release(&d);
}
END_TEST

/* Many small ones, more than a ring holds, before the device has done any of its work. */
START_TEST(small_data_are_not_written_over)
{
    enum { COUNT = 2000, ROOM = 5000 };
    maskdm_device *d = open_device();
    unsigned char *at = take(d, (size_t)COUNT * ROOM), given[ROOM], *got = malloc((size_t)COUNT * ROOM);

    for (int turn = 0; turn < 2; turn++) {
        if (turn)
            ck_assert_int_eq(mdm_device_enter(d), MASKDM_OK);
        for (int i = 0; i < COUNT; i++) {
            memset(given, i + turn, sizeof given);
            ck_assert_int_eq(mdm_device_upload(d, at + (size_t)i * ROOM, given, (size_t)(ROOM - i % 70)), MASKDM_OK);
        }
        ck_assert_int_eq(mdm_device_download(d, got, at, (size_t)COUNT * ROOM), MASKDM_OK);
        for (int i = 0; i < COUNT; i++) {
            memset(given, i + turn, sizeof given);
            ck_assert(memcmp(got + (size_t)i * ROOM, given, (size_t)(ROOM - i % 70)) == 0);
        }
        if (turn)
            mdm_device_leave(d);
    }
    free(got);
    mdm_device_free(d, at, (size_t)COUNT * ROOM);
    maskdm_device_release(&d);
}
END_TEST

/* ---- beside the work of another thread ---- */

struct helper {
    maskdm_device *d;
    atomic_int stop;
    int bad, rounds;
    uint32_t seed;
};

static void *help(void *arg)
{
    static const size_t sizes[] = {100, 70000, MIB, 6 * MIB};
    struct helper *h = arg;

    do {
        h->bad += !goes_round(h->d, sizes[h->rounds % 4], h->seed + (uint32_t)h->rounds);
        h->rounds++;
    } while (!atomic_load(&h->stop));
    return NULL;
}

/* y = 2 x + y in the turn, again and again, on numbers that stay exact. */
static void compute(maskdm_device *d, float *x, float *y, int64_t n, int times)
{
    struct mdm_backend *b = mdm_device_backend(d);
    const struct mdm_mix job = {.n = n, .count = 2, .x = {x, y}, .a = {2, 1}, .y = y};

    for (int i = 0; i < times; i++)
        ck_assert_msg(b->v->mix(b, &job) == MASKDM_OK, "%s", maskdm_last_error());
}

START_TEST(threads_bring_data_beside_the_turn)
{
    enum { HELPERS = 3, N = 200000, LAST = 50000, ROUNDS = 40 };
    maskdm_device *d = open_device();
    struct helper h[HELPERS];
    pthread_t thread[HELPERS];
    float *x = take(d, N * sizeof *x), *y = take(d, N * sizeof *y), *host = malloc(N * sizeof *host);
    int wrong = 0;

    for (int i = 0; i < HELPERS; i++) {
        h[i] = (struct helper){.d = d, .seed = (uint32_t)i << 16};
        atomic_init(&h[i].stop, 0);
        ck_assert_int_eq(pthread_create(&thread[i], NULL, help, &h[i]), 0);
    }
    for (int round = 1; round <= ROUNDS; round++) {
        ck_assert_int_eq(mdm_device_enter(d), MASKDM_OK);
        for (int i = 0; i < N; i++)
            host[i] = (float)(round + i % 5);
        ck_assert_int_eq(mdm_device_upload(d, x, host, N * sizeof *x), MASKDM_OK);
        ck_assert_int_eq(mdm_device_fill(d, y, 0, N * sizeof *y), MASKDM_OK);
        compute(d, x, y, N, 3);
        memset(host, 0, N * sizeof *host);
        ck_assert_int_eq(mdm_device_download(d, host + N - LAST, y + N - LAST, LAST * sizeof *y), MASKDM_OK);
        mdm_device_leave(d);
        for (int i = N - LAST; i < N; i++)
            wrong += host[i] != 6.0f * (float)(round + i % 5);
        ck_assert_int_eq(wrong, 0);
    }
    for (int i = 0; i < HELPERS; i++) {
        atomic_store(&h[i].stop, 1);
        pthread_join(thread[i], NULL);
        ck_assert_msg(!h[i].bad && h[i].rounds, "%d of %d rounds", h[i].bad, h[i].rounds);
    }
    free(host);
    mdm_device_free(d, x, N * sizeof *x);
    mdm_device_free(d, y, N * sizeof *y);
    ck_assert_uint_eq(maskdm_device_memory_used(d), 0);
    maskdm_device_release(&d);
}
END_TEST

/* What a thread brought goes from its hands into a step, and back while that step may still be at work. */
struct bringer {
    maskdm_device *d;
    float *at, *host;
    int64_t n;
    int round, status;
};

static void *bring(void *arg)
{
    struct bringer *b = arg;

    for (int64_t i = 0; i < b->n; i++)
        b->host[i] = (float)(b->round * 3 + i % 11);
    b->status = mdm_device_upload(b->d, b->at, b->host, (size_t)b->n * sizeof *b->at);
    memset(b->host, 0xff, (size_t)b->n * sizeof *b->host);
    return NULL;
}

START_TEST(buffers_go_from_hand_to_hand)
{
    enum { N = 300001, ROUNDS = 30 };
    maskdm_device *d = open_device();
    float *x[2] = {take(d, N * sizeof(float)), take(d, N * sizeof(float))}, *y = take(d, N * sizeof *y);
    float *host = malloc(N * sizeof *host);
    struct bringer b = {.d = d, .at = x[0], .host = host, .n = N};
    pthread_t thread;
    double sum = 0;
    int wrong = 0;

    ck_assert_int_eq(mdm_device_fill(d, y, 0, N * sizeof *y), MASKDM_OK);
    bring(&b);
    for (b.round = 1; b.round <= ROUNDS; b.round++) {
        b.at = x[b.round % 2];
        ck_assert_int_eq(pthread_create(&thread, NULL, bring, &b), 0);
        ck_assert_int_eq(mdm_device_enter(d), MASKDM_OK);
        compute(d, x[(b.round + 1) % 2], y, N, 1);
        mdm_device_leave(d);
        pthread_join(thread, NULL);
        ck_assert_int_eq(b.status, MASKDM_OK);
        sum += 2 * 3 * (b.round - 1);
    }
    ck_assert_int_eq(mdm_device_download(d, host, y, N * sizeof *y), MASKDM_OK);
    for (int i = 0; i < N; i++)
        wrong += host[i] != (float)(sum + 2 * ROUNDS * (i % 11));
    ck_assert_int_eq(wrong, 0);
    free(host);
    for (int i = 0; i < 2; i++)
        mdm_device_free(d, x[i], N * sizeof(float));
    mdm_device_free(d, y, N * sizeof *y);
    maskdm_device_release(&d);
}
END_TEST

/* ---- noting a list of calls ---- */

static int add(struct mdm_backend *b, float *y, const float *x, int64_t n)
{
    const struct mdm_shape shape = {.n = 1, .d = {n}};
    const struct mdm_call c = {.op = MDM_OP_ADD,
                               .dtype = MDM_F32,
                               .in_shape = {&shape, &shape},
                               .out_shape = {&shape},
                               .in = {y, x},
                               .out = {y}};

    return b->v->kernel(b, MDM_OP_ADD, MDM_F32)->forward(b, &c);
}

START_TEST(noted_calls_are_played)
{
    enum { N = 5000, PLAYED = 7, HELPERS = 2 };
    maskdm_device *d = open_device();
    struct mdm_backend *b = mdm_device_backend(d);
    float *x = take(d, N * sizeof *x), *y = take(d, N * sizeof *y), host[N];
    struct helper h[HELPERS];
    pthread_t thread[HELPERS];
    void *recording;
    int wrong = 0;

    for (int i = 0; i < HELPERS && b->v->record; i++) {
        h[i] = (struct helper){.d = d, .seed = (uint32_t)i << 16};
        atomic_init(&h[i].stop, 0);
        ck_assert_int_eq(pthread_create(&thread[i], NULL, help, &h[i]), 0);
    }
    for (int round = 0; round < 20 && b->v->record; round++) {
        for (int i = 0; i < N; i++)
            host[i] = (float)(i + round);
        ck_assert_int_eq(mdm_device_enter(d), MASKDM_OK);
        ck_assert_int_eq(mdm_device_upload(d, x, host, N * sizeof *x), MASKDM_OK);
        ck_assert_int_eq(mdm_device_fill(d, y, 0, N * sizeof *y), MASKDM_OK);
        ck_assert_int_eq(b->v->record(b), MASKDM_OK);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(add(b, y, x, N), MASKDM_OK);
            (void)usleep(5000); /* others would do what they like meanwhile */
        }
        ck_assert_int_eq(b->v->recorded(b, &recording), MASKDM_OK);
        ck_assert_ptr_nonnull(recording);
        for (int i = 0; i < PLAYED; i++)
            ck_assert_int_eq(b->v->play(b, recording), MASKDM_OK);
        b->v->forget(b, recording);
        b->v->forget(b, NULL);
        ck_assert_int_eq(mdm_device_download(d, host, y, N * sizeof *y), MASKDM_OK);
        mdm_device_leave(d);
        for (int i = 0; i < N; i++)
            wrong += host[i] != 3.0f * PLAYED * (float)(i + round);
        ck_assert_int_eq(wrong, 0);
    }
    for (int i = 0; i < HELPERS && b->v->record; i++) {
        atomic_store(&h[i].stop, 1);
        pthread_join(thread[i], NULL);
        ck_assert_msg(!h[i].bad, "%d of %d rounds", h[i].bad, h[i].rounds);
    }
    mdm_device_free(d, x, N * sizeof *x);
    mdm_device_free(d, y, N * sizeof *y);
    maskdm_device_release(&d);
}
END_TEST

/* ---- errors, processes ---- */

START_TEST(memory_that_is_not_there_is_refused)
{
    maskdm_device *d = open_device();
    void *memory = &d;
    const char *said;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mdm_device_alloc(d, &memory, (size_t)1 << 46, 0, "the activations"), MASKDM_ENOMEM);
        ck_assert_ptr_null(memory);
        said = maskdm_last_error();
        ck_assert_ptr_nonnull(strstr(said, "the activations"));
        ck_assert_ptr_nonnull(strstr(said, "70368744177664 bytes"));
        ck_assert_msg(!on_device() || strstr(said, " left"), "%s", said);
        ck_assert_uint_eq(maskdm_device_memory_used(d), 0);
        ck_assert(goes_round(d, 100000, 1));
    }
    maskdm_device_release(&d);
}
END_TEST

/* The emulated device has as much as it is told; elsewhere there is always enough. What is large then goes in pieces,
 * as long as there is room for one. */
START_TEST(transfers_need_little_room)
{
    static const char *const sizes[] = {"25000000", "20500000", "16000000"};
    const size_t bytes = 15 * MIB;

    for (int i = 0; i < 3; i++) {
        maskdm_device *d = open_device();
        unsigned char *at = take(d, bytes), *given = malloc(bytes), *got = malloc(bytes);
        uint32_t seed = (uint32_t)i;
        int status;

        draw(given, bytes, &seed);
        ck_assert_int_eq(setenv("MASKDM_EMULATED_MEMORY", sizes[i], 1), 0);
        status = mdm_device_upload(d, at, given, bytes);
        ck_assert_int_eq(unsetenv("MASKDM_EMULATED_MEMORY"), 0);
        ck_assert_msg(status ==
                          (i == 2 && strstr(maskdm_device_description(d), "emulated") ? MASKDM_ENOMEM : MASKDM_OK),
                      "%s bytes: %d, %s", sizes[i], status, maskdm_last_error());
        ck_assert_int_eq(mdm_device_upload(d, at, given, bytes), MASKDM_OK);
        ck_assert_int_eq(mdm_device_download(d, got, at, bytes), MASKDM_OK);
        ck_assert(memcmp(given, got, bytes) == 0);
        free(given);
        free(got);
        mdm_device_free(d, at, bytes);
        maskdm_device_release(&d);
    }
}
END_TEST

START_TEST(devices_that_are_not_there_are_refused)
{
    maskdm_device *d;
    const char *said;

    if (!on_device())
        return;
    ck_assert_int_eq(open_named(&d, "cuda:77", "auto"), MASKDM_ENOTFOUND);
    said = maskdm_last_error();
    ck_assert_ptr_eq(strstr(said, "there is no device \"cuda:77\": CUDA has "), said);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"cuda:x", "cuda:0x", "cuda:99999"};
        ck_assert_int_eq(open_named(&d, names[i], "auto"), MASKDM_ENOTFOUND);
        ck_assert_ptr_nonnull(strstr(maskdm_last_error(), names[i]));
    }
}
END_TEST

START_TEST(a_device_says_what_it_computes_with)
{
    static const char *const kinds[][2] = {{"auto", ", bfloat16"}, {"float32", ", float32"}, {"tf32", ", TF32"}};

    for (size_t i = 0; on_device() && i < sizeof kinds / sizeof *kinds; i++) {
        const struct mdm_backend_vtbl *v;
        maskdm_device *d;

        ck_assert_int_eq(open_named(&d, "auto", kinds[i][0]), MASKDM_OK);
        ck_assert_ptr_eq(strstr(maskdm_device_description(d), "cuda:0, "), maskdm_device_description(d));
        ck_assert_ptr_nonnull(strstr(maskdm_device_description(d), kinds[i][1]));
        v = mdm_device_backend(d)->v;
        ck_assert_int_eq(v->compute(mdm_device_backend(d)), i ? MDM_F32 : MDM_BF16);
        maskdm_device_release(&d);
    }
}
END_TEST

/* Two of them on one thread, closed in the order in which they were opened. */
START_TEST(devices_do_not_know_of_each_other)
{
    maskdm_device *a = open_device(), *b = open_device();
    const long live = mdm_alloc_live();

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mdm_device_enter(a), MASKDM_OK);
        ck_assert(goes_round(b, 70000, 1));
        ck_assert(goes_round(a, 70000, 2));
        mdm_device_leave(a);
    }
    ck_assert_int_eq(mdm_alloc_live(), live);
    maskdm_device_release(&a);
    ck_assert(goes_round(b, 6 * MIB, 3));
    maskdm_device_release(&b);
}
END_TEST

START_TEST(a_forked_process_can_only_release)
{
    maskdm_device *d = open_device();
    char *memory = take(d, MIB), byte = 1;
    int status;
    pid_t child;

    ck_assert(goes_round(d, 6 * MIB, 4));
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        const int refused = mdm_device_upload(d, memory, &byte, 1) == MASKDM_EINVAL;

        alarm(20);
        mdm_device_free(d, memory, MIB);
        maskdm_device_release(&d);
        _exit(refused ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    ck_assert(goes_round(d, 6 * MIB, 5));
    mdm_device_free(d, memory, MIB);
    maskdm_device_release(&d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("transfers");
    TCase *c = tcase_create("transfers");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, data_go_there_and_back);
    tcase_add_test(c, small_data_are_not_written_over);
    tcase_add_test(c, threads_bring_data_beside_the_turn);
    tcase_add_test(c, buffers_go_from_hand_to_hand);
    tcase_add_test(c, noted_calls_are_played);
    tcase_add_test(c, memory_that_is_not_there_is_refused);
    tcase_add_test(c, transfers_need_little_room);
    tcase_add_test(c, devices_that_are_not_there_are_refused);
    tcase_add_test(c, a_device_says_what_it_computes_with);
    tcase_add_test(c, devices_do_not_know_of_each_other);
    tcase_add_test(c, a_forked_process_can_only_release);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
