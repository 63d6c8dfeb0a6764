/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What ways past blocks save of a training step, by the products that its program counts, and which blocks they are.
 */
#include "backend/cpu/cpu.h"
#include "base/format.h"
#include "model/network.h"
#include "model/routing.h"
#include "option/option.h"

#include <check.h>
#include <stdlib.h>

#define SMALL "image_size=32 patch_size=2 dim=192 heads=6 classes=10 "

static maskdm_options *options(const struct mdm_network *network, const char *text)
{
    maskdm_options *o;

    ck_assert_int_eq(mdm_options_create(&o, network->kind), 0);
    ck_assert_msg(mdm_options_parse(o, text) == 0, "%s", mdm_error_text());
    return o;
}

/* Of forward and backward over the `visible` patches of an image. */
static double work(const char *name, const char *text, int64_t visible)
{
    const struct mdm_device_settings settings = {.workers = 1, .instruction_set = "c"};
    const struct mdm_network *network = mdm_network_find(name);
    maskdm_options *o = options(network, text);
    struct mdm_extent e = {.batch = 1, .visible = visible};
    struct mdm_params layout = {0};
    struct mdm_ports ports = MDM_NO_PORTS;
    struct mdm_backend *backend;
    struct mdm_graph g;
    double flops;

    ck_assert_int_eq(mdm_cpu_open(&backend, &settings), 0);
    ck_assert_msg(mdm_network_train(network, o, &e) == 0, "%s", mdm_error_text());
    mdm_graph_init(&g, backend, &layout, MDM_F32);
    network->record(&g, &ports, o, e);
    ck_assert_msg(mdm_graph_plan(&g, MDM_PLAN_TRAIN) == 0, "%s", mdm_error_text());
    flops = mdm_graph_flops(&g, 0) + mdm_graph_flops(&g, 1);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
    backend->v->close(backend);
    mdm_options_release(&o);
    return flops;
}

/* The table of doc/routing.md: 256 tokens, 12 blocks (13 of the U-ViT). */
START_TEST(work_falls_with_the_tokens)
{
    static const struct {
        const char *network, *way;
        double share; /* of the plain network's work */
    } cases[] = {{"dit", "route_ratio=0.5", 0.68},
                 {"dit", "route_ratio=0.5 route_from=2 route_behind=2", 0.64},
                 {"dit", "routes=2-4:0.5,6-8:0.5", 0.73},
                 {"dit", "sprint=2", 0.49},
                 {"dit", "sprint=2 sprint_drop=0.5", 0.65},
                 {"dit", "sprint=2 sprint_drop=0.875", 0.42},
                 {"dit", "sprint=2 sprint_drop=0", 1.01},
                 {"jit", "route_ratio=0.5", 0.70},
                 {"uvit", "depth=13 route_ratio=0.5", 0.63},
                 {"uvit", "depth=13 sprint=2", 0.47}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        char plain[200], way[200];
        double share;

        mdm_format(plain, sizeof plain, SMALL "%s", cases[i].network[0] == 'u' ? "depth=13" : "depth=12");
        mdm_format(way, sizeof way, "%s %s", plain, cases[i].way);
        share = work(cases[i].network, way, 256) / work(cases[i].network, plain, 256);
        ck_assert_msg(share > cases[i].share - 0.006 && share < cases[i].share + 0.006, "%s, %s: %.4f of the work",
                      cases[i].network, cases[i].way, share);
    }
}
END_TEST

static void expect_route(const char *name, const char *text, int i, int64_t first, int64_t last)
{
    const struct mdm_network *network = mdm_network_find(name);
    maskdm_options *o = options(network, text);
    struct mdm_routing r;

    ck_assert_msg(mdm_network_routing(&r, network, o) == 0, "%s", mdm_error_text());
    ck_assert_int_gt(r.count, i);
    ck_assert_int_eq(r.route[i].first, first);
    ck_assert_int_eq(r.route[i].last, last);
    mdm_options_release(&o);
}

/* By default after two blocks: to the fourth last where the authors have it, and to the mirror image where skips ask
 * for that. */
START_TEST(blocks_are_those_of_the_authors)
{
    expect_route("dit", "depth=12 route_ratio=0.5", 0, 2, 8);
    expect_route("dit", "depth=28 route_ratio=0.5", 0, 2, 24);
    expect_route("jit", "depth=12 route_ratio=0.5", 0, 2, 8);
    expect_route("uvit", "depth=13 route_ratio=0.5", 0, 2, 10);
    expect_route("uvit", "depth=12 route_ratio=0.5 route_from=3", 0, 3, 9);
    expect_route("dit", "depth=12 routes=3-6:0.5,7-10:0.3", 0, 3, 6);
    expect_route("dit", "depth=12 routes=3-6:0.5,7-10:0.3", 1, 7, 10);
    expect_route("dit", "depth=12 sprint=2", 0, 2, 9);
    expect_route("uvit", "depth=13 sprint=3", 0, 3, 9);
    expect_route("sit", "encoder_depth=1 middle_depth=6 decoder_depth=3", 0, 1, 6);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("routing");
    TCase *c = tcase_create("routing");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, work_falls_with_the_tokens);
    tcase_add_test(c, blocks_are_those_of_the_authors);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
