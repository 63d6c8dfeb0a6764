/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Passes that a device notes and plays, on one that counts what it is asked for.
 */
#include "graph/graph.h"
#include "ops/ops.h"

#include <check.h>
#include <string.h>

/* What the device was asked for so far, and what it is to do. */
static struct {
    int walks, notes, plays, live; /* operations that were carried out; recordings that are there */
    int noting, failing;
    atomic_int *cancel; /* raised by the first operation */
} seen;

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    (void)b;
    (void)c;
    seen.walks += !seen.noting;
    seen.notes += seen.noting;
    if (seen.cancel)
        *seen.cancel = 1;
    return seen.failing ? mdm_fail(MASKDM_EDEVICE, "no more") : MASKDM_OK;
}

static const struct mdm_kernel *kernel(struct mdm_backend *b, enum mdm_op_id op, enum mdm_dtype type)
{
    static const struct mdm_kernel k = {.forward = forward, .backward = forward};

    (void)b;
    (void)op;
    (void)type;
    return &k;
}

static int record(struct mdm_backend *b)
{
    (void)b;
    seen.noting = 1;
    return MASKDM_OK;
}

static int recorded(struct mdm_backend *b, void **out)
{
    (void)b;
    seen.noting = 0;
    seen.live++;
    *out = &seen;
    return MASKDM_OK;
}

static int play(struct mdm_backend *b, void *recording)
{
    (void)b;
    ck_assert_ptr_eq(recording, &seen);
    seen.plays++;
    return MASKDM_OK;
}

static void forget(struct mdm_backend *b, void *recording)
{
    (void)b;
    seen.live -= recording != NULL;
}

static const struct mdm_backend_vtbl vtbl = {
    .name = "noting", .kernel = kernel, .record = record, .recorded = recorded, .play = play, .forget = forget};
static struct mdm_backend noting = {&vtbl};
static float block[2][64];
_Alignas(64) static unsigned char arena[4096];

/* Two operations on an input. */
static void open_graph(struct mdm_graph *g, struct mdm_params *layout)
{
    mdm_val x;

    memset(&seen, 0, sizeof seen);
    *layout = (struct mdm_params){0};
    mdm_graph_init(g, &noting, layout, MDM_F32);
    x = mdm_graph_input(g, MDM_F32, mdm_shape2(2, 3));
    mdm_graph_output(g, mdm_silu(g, mdm_gelu(g, x)));
    ck_assert_int_eq(mdm_graph_plan(g, 0), 0);
    ck_assert_uint_le(g->arena_bytes, sizeof arena);
    mdm_graph_bind(g, arena);
}

static void close_graph(struct mdm_graph *g, struct mdm_params *layout)
{
    mdm_graph_free(g);
    mdm_params_free(layout);
    ck_assert_int_eq(seen.live, 0);
}

static void expect(int walks, int notes, int plays)
{
    ck_assert_int_eq(seen.walks, walks);
    ck_assert_int_eq(seen.notes, notes);
    ck_assert_int_eq(seen.plays, plays);
}

START_TEST(the_second_pass_is_noted_and_then_played)
{
    struct mdm_params layout;
    struct mdm_graph g;

    open_graph(&g, &layout);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(mdm_graph_forward(&g, block[0], NULL), MASKDM_OK);
    expect(2, 2, 2);
    ck_assert_int_eq(mdm_graph_forward(&g, block[1], NULL), MASKDM_OK); /* other weights: from the beginning */
    ck_assert_int_eq(seen.live, 0);
    expect(4, 2, 2);
    close_graph(&g, &layout);
}
END_TEST

/* A device makes what it keeps of a call when that first comes, and can not while calls are noted. */
START_TEST(a_pass_that_ended_early_is_not_the_first)
{
    struct mdm_params layout;
    struct mdm_graph g;
    atomic_int cancel = 0;

    open_graph(&g, &layout);
    seen.cancel = &cancel;
    ck_assert_int_eq(mdm_graph_forward(&g, block[0], &cancel), MASKDM_ECANCELED);
    expect(1, 0, 0);
    seen.cancel = NULL;
    ck_assert_int_eq(mdm_graph_forward(&g, block[0], NULL), MASKDM_OK);
    expect(3, 0, 0);
    ck_assert_int_eq(mdm_graph_forward(&g, block[0], NULL), MASKDM_OK);
    expect(3, 2, 1);
    close_graph(&g, &layout);
}
END_TEST

START_TEST(half_a_pass_is_not_played)
{
    struct mdm_params layout;
    struct mdm_graph g;

    open_graph(&g, &layout);
    ck_assert_int_eq(mdm_graph_forward(&g, block[0], NULL), MASKDM_OK);
    seen.failing = 1;
    ck_assert_int_eq(mdm_graph_forward(&g, block[0], NULL), MASKDM_EDEVICE);
    ck_assert_str_eq(mdm_error_text(), "no more");
    ck_assert_int_eq(seen.live, 0);
    seen.failing = 0;
    ck_assert_int_eq(mdm_graph_forward(&g, block[0], NULL), MASKDM_OK);
    expect(2, 3, 1);
    ck_assert_int_eq(seen.live, 1);
    close_graph(&g, &layout);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pass");
    TCase *t = tcase_create("pass");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, the_second_pass_is_noted_and_then_played);
    tcase_add_test(t, a_pass_that_ended_early_is_not_the_first);
    tcase_add_test(t, half_a_pass_is_not_played);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
