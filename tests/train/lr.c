/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Learning rates by step: every schedule and shape at steps that are known, and what does not fit together.
 */
#include "tiny.h"

#include "train/lr.h"

static maskdm_optimizer *make(const char *text)
{
    maskdm_options *o = tiny_options("optimizer", text);
    maskdm_optimizer *made;

    OK(maskdm_optimizer_create(&made, o, NULL));
    maskdm_options_release(&o);
    return made;
}

static void refuse(const char *text, const char *why)
{
    maskdm_options *o = tiny_options("optimizer", text);
    maskdm_optimizer *made;

    FAILS(MASKDM_EINVAL, why, maskdm_optimizer_create(&made, o, NULL));
    ck_assert_ptr_null(made);
    maskdm_options_release(&o);
}

/* Options, then a step and its rate, until a step below 0. */
struct expected {
    const char *options;
    struct {
        int64_t step;
        double rate;
    } at[8];
};

static const struct expected table[] = {
    {"lr=2", {{0, 2}, {1000000, 2}, {-1, 0}}},
    {"lr=2 warmup_steps=4", {{0, 0}, {1, 0.5}, {4, 2}, {5, 2}, {-1, 0}}},
    {"lr=2 warmup_steps=4 warmup_from=0.5", {{0, 1}, {2, 1.5}, {4, 2}, {-1, 0}}},
    {"lr=2 warmup_steps=4 warmup_shape=cosine", {{0, 0}, {1, 0.2928932188134524}, {2, 1}, {4, 2}, {-1, 0}}},
    {"lr=2 warmup_steps=4 warmup_shape=1-sqrt", {{0, 0}, {3, 1}, {4, 2}, {-1, 0}}},
    {"lr=2 warmup_steps=2.5", {{1, 0.8}, {2, 1.6}, {3, 2}, {-1, 0}}},
    {"lr=2 lr_schedule=cosine lr_steps=12 warmup_steps=4", {{2, 1}, {4, 2}, {8, 1}, {12, 0}, {16, 1}, {-1, 0}}},
    {"lr=2 lr_schedule=cosine lr_steps=8 decay_to=0.5", {{0, 2}, {4, 1.5}, {8, 1}, {-1, 0}}},
    {"lr=2 lr_schedule=wsd lr_steps=12 warmup_steps=2 decay_steps=4 decay_shape=linear",
     {{1, 1}, {2, 2}, {8, 2}, {9, 1.5}, {11, 0.5}, {12, 0}, {50, 0}, {-1, 0}}},
    {"lr=2 lr_schedule=wsd lr_steps=12 decay_steps=4", {{8, 2}, {9, 1}, {11, 0.2679491924311228}, {12, 0}, {-1, 0}}},
    {"lr=2 lr_schedule=wsd lr_steps=12 decay_steps=4 decay_shape=cosine decay_to=0.25",
     {{8, 2}, {10, 1.25}, {12, 0.5}, {99, 0.5}, {-1, 0}}},
    {"lr=2 lr_schedule=wsd lr_steps=10 decay_shape=linear", {{8, 2}, {9, 1}, {10, 0}, {-1, 0}}}, /* the last fifth */
    {"lr=2 lr_schedule=wsd lr_steps=3 decay_shape=linear", {{2, 2}, {3, 0}, {-1, 0}}},
    {"lr=2 lr_schedule=inverse_sqrt decay_after=4", {{0, 2}, {4, 2}, {16, 1}, {64, 0.5}, {-1, 0}}},
    {"lr=2 lr_schedule=inverse_sqrt decay_after=2 warmup_steps=8", {{2, 0.5}, {8, 1}, {32, 0.5}, {-1, 0}}},
};

START_TEST(rates_at_steps)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        maskdm_optimizer *o = make(table[i].options);

        for (int k = 0; table[i].at[k].step >= 0; k++)
            ck_assert_msg(fabs(maskdm_optimizer_lr(o, table[i].at[k].step) - table[i].at[k].rate) < 1e-15,
                          "%s: %.17g at step %lld", table[i].options, maskdm_optimizer_lr(o, table[i].at[k].step),
                          (long long)table[i].at[k].step);
        maskdm_optimizer_release(&o);
    }
}
END_TEST

START_TEST(what_does_not_fit)
{
    refuse("lr_schedule=cosine", "lr_schedule cosine needs lr_steps");
    refuse("lr_schedule=wsd", "lr_schedule wsd needs lr_steps");
    refuse("lr_schedule=wsd lr_steps=10 decay_steps=11",
           "warmup_steps 0 and decay_steps 11 are more than lr_steps 10");
    refuse("lr_schedule=wsd lr_steps=10 decay_steps=4 warmup_steps=7", "are more than lr_steps 10");
    refuse("lr_schedule=cosine lr_steps=10 warmup_steps=10", "warmup_steps 10 leave none of lr_steps 10");
    refuse("lr_schedule=inverse_sqrt", "option decay_after must be given");
    refuse("decay_steps=4", "option decay_steps belongs to lr_schedule=wsd");
    refuse("lr_schedule=cosine lr_steps=9 decay_after=4", "option decay_after belongs to lr_schedule=inverse_sqrt");
}
END_TEST

/* What a host sets is in place of all of it. */
START_TEST(a_hosts_rate_is_what_it_says)
{
    maskdm_optimizer *o = make("lr=2 lr_schedule=cosine lr_steps=8 warmup_steps=4");

    OK(maskdm_optimizer_set_lr(o, 0.25));
    ck_assert_double_eq(maskdm_optimizer_lr(o, 0), 0.25);
    ck_assert_double_eq(maskdm_optimizer_lr(o, 8), 0.25);
    OK(maskdm_optimizer_set_lr(o, NAN));
    ck_assert_double_eq_tol(maskdm_optimizer_lr(o, 6), 1, 1e-15);
    maskdm_optimizer_release(&o);
}
END_TEST

/* A run's schedule goes to its last step unless it is told otherwise. */
START_TEST(schedules_of_runs)
{
    maskdm_options *o = tiny_options("pretrain", "data=x out=y steps=50 lr_schedule=cosine");
    char text[32];

    OK(mdm_lr_settle(o, 50, 0));
    OK(maskdm_options_get(o, "lr_steps", text, sizeof text, NULL));
    ck_assert_str_eq(text, "50");
    OK(mdm_lr_settle(o, 50, 0));
    FAILS(MASKDM_EINVAL, "lr_steps 50 is less than steps 60, and behind it a cosine goes up again",
          mdm_lr_settle(o, 60, 0));
    maskdm_options_release(&o);
    o = tiny_options("pretrain", "data=x out=y steps=50 lr_schedule=wsd lr_steps=40 decay_to=0.1");
    OK(mdm_lr_settle(o, 50, 0));
    OK(maskdm_options_set(o, "decay_to", "0"));
    FAILS(MASKDM_EINVAL, "lr_steps 40 is less than steps 50, and behind it the learning rate is 0",
          mdm_lr_settle(o, 50, 0));
    maskdm_options_release(&o);
    o = tiny_options("pretrain", "data=x out=y steps=50 lr_schedule=wsd decay_steps=60");
    FAILS(MASKDM_EINVAL, "are more than lr_steps 50", mdm_lr_settle(o, 50, 0));
    maskdm_options_release(&o);
    o = tiny_options("pretrain", "data=x out=y steps=50 lr_schedule=wsd warmup_steps=60");
    FAILS(MASKDM_EINVAL, "warmup_steps 60 and decay_steps 10 are more than lr_steps 50", mdm_lr_settle(o, 50, 30));
    maskdm_options_release(&o);
    o = tiny_options("pretrain", "data=x out=y mask=none");
    OK(mdm_lr_settle(o, 50, 0));
    OK(maskdm_options_get(o, "lr_steps", text, sizeof text, NULL));
    ck_assert_str_eq(text, "");
    maskdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lr");
    TCase *tests = tcase_create("lr");

    tcase_add_test(tests, rates_at_steps);
    tcase_add_test(tests, what_does_not_fit);
    tcase_add_test(tests, a_hosts_rate_is_what_it_says);
    tcase_add_test(tests, schedules_of_runs);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
