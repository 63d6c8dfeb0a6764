/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the jobs beside a program are tested: on the CPU, with one and with three threads for every instruction set,
 * and on the device that is asked for (device.h), where memory begins at 64 bytes and then at 4, which kernels of 16
 * bytes a thread must see. Memory of a place stands between guards and is given back when the place is left.
 */
#ifndef MASKDM_TESTS_KERNEL_JOBS_H
#define MASKDM_TESTS_KERNEL_JOBS_H

#include "backend/device.h"

#include "twin.h"

enum { MOST_LENT = 16 };

static char places[2 * MOST_TABLES + 2][64]; /* in pairs, whose results have the same bits */
static int place_count;
static const struct mdm_cpu_set *place_set[2 * MOST_TABLES + 2]; /* fills the place's table; NULL: as it is opened */
static maskdm_device *place_device[2 * MOST_TABLES + 2]; /* NULL: it was not opened, or is the one asked for */
static struct {
    float *at;
    int64_t n;
} lent[MOST_LENT];
static int lent_count, shift;                 /* floats that stand before */
static enum mdm_device_compute place_compute; /* what the device is opened for */

static inline void list_places(void)
{
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name; s++)
        for (int threads = 1; threads <= 3 && s->runs_here(); threads += 2)
            snprintf(places[place_count++], sizeof places[0], "threads=%d instruction_set=%s", threads, s->name);
    for (const struct mdm_cpu_set *s = emulated_sets; s->name; s++)
        for (int threads = 1; threads <= 3 && s->runs_here(); threads += 2) {
            place_set[place_count] = s;
            snprintf(places[place_count++], sizeof places[0], "threads=%d instruction_set=c", threads);
        }
    for (int k = 0; k < 2 && device_asked(); k++)
        places[place_count++][0] = '\0';
}

static inline void change_set(struct mdm_cpu *cpu, const struct mdm_cpu_set *set)
{
    memset(&cpu->f32, 0, sizeof cpu->f32);
    set->fill(&cpu->f32);
    mdm_free(cpu->workspace);
    cpu->workspace = mdm_malloc_aligned(cpu->f32.gemm_workspace(cpu->workers));
    ck_assert_ptr_nonnull(cpu->workspace);
}

static inline struct mdm_backend *open_place(int i)
{
    maskdm_options *o;

    shift = !*places[i] && i % 2;
    if (!*places[i])
        return device_of(place_compute);
    if (!place_device[i]) {
        ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
        ck_assert_int_eq(maskdm_options_parse(o, places[i]), MASKDM_OK);
        ck_assert_int_eq(maskdm_device_open(&place_device[i], "cpu", o), MASKDM_OK);
        maskdm_options_release(&o);
        if (place_set[i])
            change_set(mdm_cpu_of(mdm_device_backend(place_device[i])), place_set[i]);
    }
    return mdm_device_backend(place_device[i]);
}

static inline struct mdm_backend *enter_place(int i)
{
    struct mdm_backend *b = open_place(i);

    if (b->v->enter)
        b->v->enter(b);
    return b;
}

/* Memory of the place with these values, or poison. */
static inline float *lend(struct mdm_backend *b, const float *from, int64_t n)
{
    const size_t bytes = (size_t)n * sizeof(float), before = GUARD + (size_t)shift * sizeof(float);
    unsigned char *here = malloc(before + bytes + GUARD);
    void *there;

    ck_assert(here && lent_count < MOST_LENT);
    memset(here, POISON, before + bytes + GUARD);
    if (from)
        memcpy(here + before, from, bytes);
    ck_assert_int_eq(b->v->alloc(b, &there, before + bytes + GUARD, "a test"), MASKDM_OK);
    ck_assert_int_eq(b->v->upload(b, there, here, before + bytes + GUARD), MASKDM_OK);
    free(here);
    lent[lent_count].n = n;
    return lent[lent_count++].at = (float *)((unsigned char *)there + before);
}

static inline void fetch(struct mdm_backend *b, float *to, const float *at, int64_t n)
{
    ck_assert_msg(b->v->download(b, to, at, (size_t)n * sizeof *to) == MASKDM_OK, "%s", maskdm_last_error());
}

/* All that was lent comes back, with its guards. */
static inline void leave_place(struct mdm_backend *b)
{
    const size_t before = GUARD + (size_t)shift * sizeof(float);

    while (lent_count > 0) {
        unsigned char guard[2][GUARD], *there = (unsigned char *)lent[--lent_count].at - before;
        const size_t bytes = (size_t)lent[lent_count].n * sizeof(float);

        ck_assert_int_eq(b->v->download(b, guard[0], there + before - GUARD, GUARD), MASKDM_OK);
        ck_assert_int_eq(b->v->download(b, guard[1], there + before + bytes, GUARD), MASKDM_OK);
        for (int i = 0; i < GUARD; i++)
            ck_assert_msg(guard[0][i] == POISON && guard[1][i] == POISON, "a guard byte was written");
        b->v->release(b, there);
    }
    if (b->v->leave)
        b->v->leave(b);
}

static inline int run_places(const char *name, void (*add_tests)(TCase *))
{
    int status;

    list_places();
    status = run_suite(name, add_tests);
    for (int i = 0; i < place_count; i++)
        if (place_device[i])
            maskdm_device_release(&place_device[i]);
    return status;
}

static inline float *draw_floats(int64_t n)
{
    float *p = malloc((size_t)(n + 1) * sizeof *p);

    ck_assert_ptr_nonnull(p);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)draw();
    return p;
}

#endif
