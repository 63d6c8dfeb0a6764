/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Held-out error of a model, and features of images: what is the same must be the same to the bit, and what is nearer
 * must be nearer.
 */
#include "rig.h"

#include <math.h>
#include <stdio.h>

/* ---- held out ---- */

/* Hears of nothing, and counts how often. */
static int count_calls(void *user, const struct maskdm_progress *p)
{
    ck_assert_int_le(p->step, p->steps);
    ++*(int *)user;
    return 0;
}

START_TEST(as_the_trainer_validates)
{
    maskdm_device *dev = rig_device("threads=2");
    maskdm_model *m = rig_model(dev, RIG_NETWORK);
    maskdm_data *data = rig_data(dev);
    maskdm_trainer *t = rig_trainer(m, "type=none", "batch_size=4 seed=3", NULL);
    double theirs, ours, own, again, bucket[4], same[4];
    maskdm_control *control;
    int calls = 0;

    MUST(maskdm_control_create(&control));
    maskdm_control_set_progress(control, count_calls, &calls);
    MUST(maskdm_trainer_validate(t, data, 0, MASKDM_WEIGHTS_ONLINE, &theirs, bucket, 4));
    MUST(maskdm_model_held_out(m, MASKDM_WEIGHTS_ONLINE, data, 0, 3, "l2", 0, control, &ours, &own, same, 4));
    ck_assert_double_eq(ours, theirs);
    ck_assert_mem_eq(bucket, same, sizeof same);
    ck_assert_int_eq(calls, 1);
    ck_assert(own > 0 && isfinite(own));
    /* Other draws of the same seed: the loss of another measure is another, the error of x0 is not. */
    MUST(maskdm_model_held_out(m, MASKDM_WEIGHTS_ONLINE, data, 0, 3, "l1", 0, NULL, &ours, &again, NULL, 0));
    ck_assert_double_eq(ours, theirs);
    ck_assert_double_ne(own, again);
    MUST(maskdm_model_held_out(m, MASKDM_WEIGHTS_ONLINE, data, 5, 4, "l2", 0, NULL, &ours, &again, NULL, 0));
    ck_assert_double_ne(ours, theirs);
    ck_assert_int_eq(maskdm_model_held_out(m, 0, data, 0, 3, "none", 0, NULL, &ours, &own, NULL, 0),
                     MASKDM_ENOTFOUND);
    maskdm_control_cancel(control);
    ck_assert_int_eq(maskdm_model_held_out(m, 0, data, 0, 3, "l2", 0, control, &ours, &own, NULL, 0),
                     MASKDM_ECANCELED);
    maskdm_control_release(&control);
    maskdm_trainer_release(&t);
    maskdm_data_release(&data);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
}
END_TEST

/* ---- features ---- */

enum { SIDE = 20, COUNT = 40, VALUES = SIDE * SIDE * 3 };

/* Blobs of colour under so much noise. */
static void paint(float *x, int64_t count, float noise)
{
    uint32_t seed = 1;

    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < VALUES; k++) {
            const float u = (float)(k / 3 % SIDE) / SIDE, v = (float)(k / 3 / SIDE) / SIDE;

            seed = seed * 1664525u + 1013904223u;
            x[i * VALUES + k] = 0.5f + 0.3f * sinf((float)i + 5 * u + (float)(k % 3)) * cosf(3 * v + (float)i) +
                                noise * ((float)(seed >> 8) / (1 << 24) - 0.5f);
        }
}

START_TEST(an_image_has_its_features_alone)
{
    maskdm_device *dev = rig_device(_i ? "threads=3" : "threads=1"), *one_thread = rig_device("threads=1");
    static float x[COUNT * VALUES], all[COUNT * 480], one[480], grey[SIDE * SIDE], rgb[VALUES];
    maskdm_extractor *e, *other;

    paint(x, COUNT, 0.1f);
    MUST(maskdm_extractor_create(&e, dev));
    MUST(maskdm_extractor_create(&other, one_thread));
    ck_assert_int_eq(maskdm_extractor_width(e), 480);
    ck_assert_str_eq(maskdm_extractor_name(e), maskdm_extractor_name(other));
    MUST(maskdm_extractor_run(e, COUNT, SIDE, SIDE, 3, x, NULL, all));
    for (int i = 0; i < COUNT; i += 13) {
        MUST(maskdm_extractor_run(other, 1, SIDE, SIDE, 3, x + i * VALUES, NULL, one));
        ck_assert_mem_eq(one, all + i * 480, sizeof one);
    }
    for (int k = 0; k < VALUES; k++)
        rgb[k] = grey[k / 3] = x[k / 3 * 3];
    MUST(maskdm_extractor_run(e, 1, SIDE, SIDE, 1, grey, NULL, all));
    MUST(maskdm_extractor_run(e, 1, SIDE, SIDE, 3, rgb, NULL, one));
    ck_assert_mem_eq(one, all, sizeof one);
    ck_assert_int_eq(maskdm_extractor_run(e, 1, SIDE, SIDE, 2, x, NULL, all), MASKDM_ESHAPE);
    maskdm_extractor_release(&e);
    maskdm_extractor_release(&other);
    maskdm_device_release(&dev);
    maskdm_device_release(&one_thread);
}
END_TEST

static int fetch_painted(void *user, int64_t i, float *image, int32_t *label)
{
    memcpy(image, (float *)user + i * VALUES, VALUES * sizeof *image);
    *label = -1;
    return 0;
}

/* Of images under noise, to those without. */
static double distance(maskdm_extractor *e, maskdm_device *dev, float noise)
{
    static float x[COUNT * VALUES];
    maskdm_features *f[2];
    maskdm_statistics *s[2];
    double d;

    for (int i = 0; i < 2; i++) {
        maskdm_data *data;

        paint(x, COUNT, i ? noise : 0);
        MUST(maskdm_data_create_callback(&data, dev, COUNT, SIDE, SIDE, 3, fetch_painted, NULL, x));
        MUST(maskdm_features_create_from(&f[i], e, data, 0, NULL));
        ck_assert_int_eq(maskdm_features_count(f[i]), COUNT);
        MUST(maskdm_statistics_create_of(&s[i], f[i]));
        maskdm_data_release(&data);
    }
    MUST(maskdm_statistics_distance(s[1], s[0], NULL, &d));
    for (int i = 0; i < 2; i++) {
        maskdm_features_release(&f[i]);
        maskdm_statistics_release(&s[i]);
    }
    return d;
}

START_TEST(more_noise_is_farther)
{
    maskdm_device *dev = rig_device("threads=2");
    maskdm_extractor *e;
    double none, little, more;

    MUST(maskdm_extractor_create(&e, dev));
    none = distance(e, dev, 0);
    little = distance(e, dev, 0.05f);
    more = distance(e, dev, 0.2f);
    ck_assert_double_eq_tol(none, 0, 1e-9);
    ck_assert_msg(little > 1e-6 && more > 4 * little, "%g %g %g", none, little, more);
    maskdm_extractor_release(&e);
    maskdm_device_release(&dev);
}
END_TEST

START_TEST(what_is_no_extractor)
{
    maskdm_device *dev = rig_device("threads=1");
    maskdm_options *o;
    maskdm_file_writer *w;
    maskdm_extractor *e;
    const int64_t shape[] = {1};
    const float nothing = 0; /* the writer copies it when it saves */

    MUST(maskdm_file_writer_create(&w));
    MUST(maskdm_file_writer_add(w, "Mixed_7c.branch_pool.conv.weight", "F32", shape, 1, &nothing));
    MUST(maskdm_file_writer_save(w, "api-features.tmp"));
    ck_assert_int_eq(maskdm_extractor_load(&e, dev, "api-features.tmp"), MASKDM_EFORMAT);
    ck_assert_msg(strstr(maskdm_last_error(), "maskdm convert") != NULL, "%s", maskdm_last_error());
    ck_assert_ptr_null(e);
    maskdm_file_writer_release(&w);
    o = rig_options("convert", "from=api-features.tmp out=api-features-made.tmp");
    ck_assert_int_eq(maskdm_convert(o, NULL), MASKDM_EFORMAT);
    ck_assert_msg(strstr(maskdm_last_error(), "no tensor \"Conv2d_1a_3x3.conv.weight\"") != NULL, "%s",
                  maskdm_last_error());
    ck_assert_int_ne(remove("api-features-made.tmp"), 0); /* nothing was made */
    maskdm_options_release(&o);
    MUST(maskdm_file_writer_create(&w));
    MUST(maskdm_file_writer_save(w, "api-features.tmp"));
    ck_assert_int_eq(maskdm_extractor_load(&e, dev, "api-features.tmp"), MASKDM_EFORMAT);
    ck_assert_msg(strstr(maskdm_last_error(), "no weights of a feature network") != NULL, "%s", maskdm_last_error());
    maskdm_file_writer_release(&w);
    remove("api-features.tmp");
    maskdm_device_release(&dev);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("features");
    TCase *c = tcase_create("features");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 60);
    tcase_add_test(c, as_the_trainer_validates);
    tcase_add_loop_test(c, an_image_has_its_features_alone, 0, 2);
    tcase_add_test(c, more_noise_is_farther);
    tcase_add_test(c, what_is_no_extractor);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
