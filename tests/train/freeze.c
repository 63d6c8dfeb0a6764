/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters frozen by their names: they keep their bits in weights, average and moments, the others go the way that
 * they go, and backward does no more than these need.
 */
#include "tiny.h"

#include "text/pattern.h"
#include "train/trainer.h"

static void open_frozen(struct tiny *t, const char *freeze)
{
    char text[300];

    snprintf(text, sizeof text, "batch_size=8 seed=3 freeze=%s", freeze);
    tiny_open(t, text);
}

static int matches(const char *pattern, const char *name)
{
    return mdm_pattern_matches(pattern, strlen(pattern), name);
}

START_TEST(patterns)
{
    const char *at = " a* , ,!b?,", *p;
    size_t n;

    ck_assert(matches("*", "") && matches("a*c", "abbc") && matches("a*b*c", "a.b.b.c") && matches("a?c", "abc"));
    ck_assert(!matches("a", "ab") && !matches("a*c", "abcd") && !matches("", "a") && !matches("a?", "a"));
    ck_assert(mdm_pattern_matches("abc", 2, "ab") && !mdm_pattern_matches("abc", 2, "abc"));
    p = mdm_pattern_next(&at, &n);
    ck_assert(n == 2 && !strncmp(p, "a*", 2));
    p = mdm_pattern_next(&at, &n);
    ck_assert(n == 3 && !strncmp(p, "!b?", 3));
    ck_assert_ptr_null(mdm_pattern_next(&at, &n));
}
END_TEST

/* Whether each parameter of the trainer stands where it began, in weights and average. */
static void expect_still(struct tiny *t, const char *pattern)
{
    maskdm_model *now;

    OK(maskdm_trainer_model(&now, t->trainer));
    for (int64_t i = 0; i < maskdm_model_parameter_count(now); i++) {
        const char *name = maskdm_model_parameter_name(now, i);
        int64_t shape[4], n = 1;

        for (int d = 0, rank = maskdm_model_parameter_shape(now, i, shape, 4); d < rank; d++)
            n *= shape[d];
        for (int which = 0; which < 2; which++) {
            float *a = malloc((size_t)n * sizeof *a), *b = malloc((size_t)n * sizeof *b);

            OK(maskdm_model_get_parameter(t->model, which, i, a, n));
            OK(maskdm_model_get_parameter(now, which, i, b, n));
            ck_assert_msg((memcmp(a, b, (size_t)n * sizeof *a) == 0) == matches(pattern, name), "%s", name);
            free(a);
            free(b);
        }
        ck_assert_int_eq(maskdm_trainer_is_trained(t->trainer, i), !matches(pattern, name));
    }
    maskdm_model_release(&now);
}

START_TEST(what_is_frozen_stays)
{
    static const char *const set[] = {"encoder.in_blocks.*", "*.weight", "encoder.mid_block.attn.*"};
    struct tiny t;

    open_frozen(&t, set[_i]);
    tiny_step(&t, 4);
    expect_still(&t, set[_i]);
    tiny_close(&t);
}
END_TEST

/* Of the same gradients, since clipping goes by what is trained alone. */
START_TEST(the_others_go_their_way)
{
    struct tiny a, b;
    float *all, *some;
    double loss;

    open_frozen(&a, "\"\"");
    open_frozen(&b, "encoder.in_blocks.*");
    OK(maskdm_trainer_draw(a.trainer, a.data, 0));
    OK(maskdm_trainer_draw(b.trainer, b.data, 0));
    OK(maskdm_trainer_forward(a.trainer));
    OK(maskdm_trainer_forward(b.trainer));
    OK(maskdm_trainer_loss(a.trainer, &loss));
    OK(maskdm_trainer_loss(b.trainer, &loss));
    OK(maskdm_trainer_backward(a.trainer, NULL));
    OK(maskdm_trainer_backward(b.trainer, NULL));
    all = tiny_gradients(&a);
    some = tiny_gradients(&b);
    for (int64_t i = 0, at = 0; i < maskdm_model_parameter_count(a.model); i++) {
        int64_t shape[4], n = 1;

        for (int d = 0, rank = maskdm_model_parameter_shape(a.model, i, shape, 4); d < rank; d++)
            n *= shape[d];
        for (int64_t k = at; k < at + n; k++)
            ck_assert_float_eq(some[k], maskdm_trainer_is_trained(b.trainer, i) ? all[k] : 0);
        at += n;
    }
    free(all);
    free(some);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

/* No gradient below the lowest that is trained: of a head alone, backward is one product. */
START_TEST(backward_does_what_is_needed)
{
    struct tiny all, head;
    double whole, least;

    open_frozen(&all, "\"\"");
    open_frozen(&head, "*,!encoder_to_output.*");
    whole = mdm_graph_flops(&all.trainer->program->graph, 1);
    least = mdm_graph_flops(&head.trainer->program->graph, 1);
    ck_assert_double_eq(least, 2.0 * 8 * 8 * 16 * 12); /* images, visible patches, width, values of a patch */
    ck_assert_double_gt(whole, 20 * least);
    ck_assert_uint_lt(head.trainer->program->arena_bytes, all.trainer->program->arena_bytes);
    tiny_step(&head, 2);
    tiny_close(&all);
    tiny_close(&head);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *freeze, *says;
    } no[] = {
        {"*", "freeze \"*\" leaves none of the 42 parameters to train"},
        {"encoder.*,encoder_to_output.*", "leaves none of the 42 parameters to train"},
        {"*.bias,nothing.*",
         "freeze \"nothing.*\" names none of the 42 parameters, such as encoder.encoder_pos_embed"},
        {"*.bias,!nothing", "freeze \"nothing\" names none of the 42"},
    };
    struct tiny t;

    tiny_open(&t, NULL);
    maskdm_trainer_release(&t.trainer);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        maskdm_options *r = tiny_options("trainer", "batch_size=8");

        OK(maskdm_options_set(r, "freeze", no[i].freeze));
        FAILS(MASKDM_EINVAL, no[i].says, maskdm_trainer_create(&t.trainer, t.model, t.mask, t.optimizer, r, NULL));
        maskdm_options_release(&r);
    }
    tiny_close(&t);
}
END_TEST

/* A state goes on bit for bit, and into a trainer that freezes the same alone. */
START_TEST(resumed)
{
    struct tiny a, b;
    char path[300];
    float *x, *y;

    snprintf(path, sizeof path, "%s/state.safetensors", tiny_folder());
    open_frozen(&a, "encoder.in_blocks.*,!*.bias");
    tiny_step(&a, 2);
    OK(maskdm_trainer_save(a.trainer, path));
    tiny_step(&a, 2);
    open_frozen(&b, "encoder.in_blocks.*,!*.bias");
    OK(maskdm_trainer_load(b.trainer, path));
    tiny_step(&b, 2);
    x = tiny_weights(&a, MASKDM_WEIGHTS_EMA);
    y = tiny_weights(&b, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    free(x);
    free(y);
    tiny_close(&b);
    open_frozen(&b, "encoder.in_blocks.*");
    FAILS(MASKDM_EINVAL, "the file's trainer has freeze encoder.in_blocks.*,!*.bias, this one encoder.in_blocks.*",
          maskdm_trainer_load(b.trainer, path));
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("freeze");
    TCase *tests = tcase_create("freeze");

    tcase_add_test(tests, patterns);
    tcase_add_loop_test(tests, what_is_frozen_stays, 0, 3);
    tcase_add_test(tests, the_others_go_their_way);
    tcase_add_test(tests, backward_does_what_is_needed);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, resumed);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
