/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training state: going on from a file is going on, to the bit; what is broken or of another run is refused and
 * changes nothing.
 */
#include "tiny.h"

#include "base/digest.h"
#include "base/endian.h"
#include "os/file.h"
#include "train/trainer.h"

static char path[300];

static const char *in_folder(const char *name)
{
    static char folder[256];

    if (!*folder)
        snprintf(folder, sizeof folder, "%s", tiny_folder());
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

START_TEST(going_on_to_the_bit)
{
    struct tiny whole, first, second;
    float *x, *y;

    tiny_open(&whole, "batch_size=8 accumulate=2 seed=3");
    tiny_open(&first, "batch_size=8 accumulate=2 seed=3");
    tiny_open(&second, "batch_size=8 accumulate=2 seed=3");
    tiny_step(&whole, 13); /* an epoch has 5 steps */
    tiny_step(&first, 6);
    OK(maskdm_trainer_save(first.trainer, in_folder("state")));
    tiny_step(&second, 2);
    OK(maskdm_trainer_load(second.trainer, path));
    ck_assert_int_eq(maskdm_trainer_steps(second.trainer), 6);
    tiny_step(&second, 7);
    for (int set = 0; set < 2; set++) {
        x = tiny_weights(&whole, (enum maskdm_weights)set);
        y = tiny_weights(&second, (enum maskdm_weights)set);
        ck_assert_mem_eq(x, y, tiny_bytes(&whole));
        free(x);
        free(y);
    }
    ck_assert_double_eq(maskdm_trainer_last_loss(whole.trainer), maskdm_trainer_last_loss(second.trainer));
    OK(maskdm_trainer_save(whole.trainer, in_folder("whole")));
    x = NULL;
    {
        char other[300];

        snprintf(other, sizeof other, "%s", path);
        OK(maskdm_trainer_save(second.trainer, in_folder("second")));
        ck_assert(tiny_same_files(other, path));
    }
    tiny_close(&whole);
    tiny_close(&first);
    tiny_close(&second);
}
END_TEST

static int not_a_number(void *user, int64_t index, float *image, int32_t *label)
{
    (void)user, (void)index, (void)label;
    for (int k = 0; k < VALUES; k++)
        image[k] = NAN;
    return 0;
}

/* A run that is interrupted again and again must not skip bad steps for ever. */
START_TEST(bad_steps_are_counted_across_files)
{
    struct tiny first, second;
    maskdm_data *bad;

    tiny_open(&first, "batch_size=8 seed=3 max_bad_steps=5");
    tiny_open(&second, "batch_size=8 seed=3 max_bad_steps=5");
    OK(maskdm_data_create_callback(&bad, first.device, COUNT, SIDE, SIDE, 3, not_a_number, NULL, NULL));
    tiny_step(&first, 2);
    for (int i = 0; i < 3; i++)
        OK(maskdm_trainer_step(first.trainer, bad));
    OK(maskdm_trainer_save(first.trainer, in_folder("state")));
    OK(maskdm_trainer_load(second.trainer, path));
    ck_assert_int_eq(maskdm_trainer_skipped(second.trainer), 3);
    OK(maskdm_trainer_step(second.trainer, bad));
    FAILS(MASKDM_ENONFINITE, "5 steps in a row up to step 7", maskdm_trainer_step(second.trainer, bad));
    /* A good step ends the row, in the file too. */
    tiny_step(&first, 1);
    OK(maskdm_trainer_save(first.trainer, path));
    OK(maskdm_trainer_load(second.trainer, path));
    for (int i = 0; i < 4; i++)
        OK(maskdm_trainer_step(second.trainer, bad));
    FAILS(MASKDM_ENONFINITE, "5 steps in a row up to step 11", maskdm_trainer_step(second.trainer, bad));
    maskdm_data_release(&bad);
    tiny_close(&first);
    tiny_close(&second);
}
END_TEST

/* Steps, updates applied and updates of the average may all differ; none is more than the steps. */
START_TEST(counters_are_kept_apart)
{
    struct tiny first, second;
    maskdm_data *bad;

    tiny_open(&first, NULL);
    tiny_open(&second, NULL);
    OK(maskdm_data_create_callback(&bad, first.device, COUNT, SIDE, SIDE, 3, not_a_number, NULL, NULL));
    tiny_step(&first, 2);
    OK(maskdm_trainer_step(first.trainer, bad));
    OK(maskdm_optimizer_step(first.optimizer)); /* without the average */
    OK(maskdm_trainer_save(first.trainer, in_folder("state")));
    OK(maskdm_trainer_load(second.trainer, path));
    ck_assert_int_eq(second.optimizer->steps, 4);
    ck_assert_int_eq(second.optimizer->applied, 3);
    ck_assert_int_eq(second.optimizer->ema_updates, 2);
    first.optimizer->ema_updates = 5;
    OK(maskdm_trainer_save(first.trainer, path));
    FAILS(MASKDM_EFORMAT, "counter 2 of \"state.counters\" is 5 at step 4",
          maskdm_trainer_load(second.trainer, path));
    maskdm_data_release(&bad);
    tiny_close(&first);
    tiny_close(&second);
}
END_TEST

/* The trainer's next steps are those of one that never saw the file. */
static void expect_unharmed(struct tiny *t, struct tiny *twin)
{
    float *x, *y;

    tiny_step(t, 1);
    tiny_step(twin, 1);
    x = tiny_weights(t, MASKDM_WEIGHTS_EMA);
    y = tiny_weights(twin, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(x, y, tiny_bytes(t));
    free(x);
    free(y);
}

START_TEST(broken_files)
{
    struct tiny t, twin, source;
    size_t bytes;
    char *good;

    tiny_open(&t, NULL);
    tiny_open(&twin, NULL);
    tiny_open(&source, NULL);
    tiny_step(&source, 3);
    OK(maskdm_trainer_save(source.trainer, in_folder("state")));
    good = tiny_read(path, &bytes);
    in_folder("bad");
    for (size_t cut = 0; cut < bytes; cut += 1 + bytes / 40) {
        tiny_write(path, good, cut);
        FAILS(MASKDM_EFORMAT, path, maskdm_trainer_load(t.trainer, path));
    }
    expect_unharmed(&t, &twin);
    free(good);
    tiny_close(&t);
    tiny_close(&twin);
    tiny_close(&source);
}
END_TEST

static void put_byte(FILE *f, size_t at, char byte)
{
    ck_assert_int_eq(fseek(f, (long)at, SEEK_SET), 0);
    ck_assert_int_eq(fputc(byte, f), (unsigned char)byte);
    ck_assert_int_eq(fflush(f), 0);
}

/* A sanitizer makes a load ten times as long, and looks for other things than an unnoticed bit. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 11 };
#else
enum { STRIDE = 1 };
#endif

/* Every bit of the length and of the header, and at least one of every byte of the data: each is damage, which
 * resuming passes over, and never an option that differs. */
START_TEST(flipped_at_every_bit)
{
    static const char network[] = "image_size=4 patch_size=2 dim=4 depth=1 heads=1 mlp_ratio=1";
    struct tiny t;
    size_t bytes, head;
    char *good;
    FILE *f;

    tiny_open_on(&t, tiny_device("threads=1"), network, NULL, NULL, NULL, NULL);
    OK(maskdm_trainer_save(t.trainer, in_folder("state")));
    good = tiny_read(path, &bytes);
    head = 8 + (size_t)mdm_load_le(good, 8);
    ck_assert_uint_gt(head, 4000);
    f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < 8 * bytes; i += i < 8 * head ? STRIDE : 7 * STRIDE) {
        put_byte(f, i / 8, (char)(good[i / 8] ^ 1 << i % 8));
        ck_assert_msg(maskdm_trainer_load(t.trainer, path) == MASKDM_EFORMAT, "bit %zu of byte %zu of %zu: %s", i % 8,
                      i / 8, bytes, maskdm_last_error());
        put_byte(f, i / 8, good[i / 8]);
    }
    fclose(f);
    OK(maskdm_trainer_load(t.trainer, path));
    free(good);
    tiny_close(&t);
}
END_TEST

/* The state with other bytes in its header, as if so it had been written. */
static void write_with(const char *now, const char *then)
{
    static const char key[] = "\"maskdm.digest\":\"xxh64:";
    char digits[17], *file, *at;
    struct mdm_digest d;
    size_t bytes;

    ck_assert_uint_eq(strlen(now), strlen(then));
    file = tiny_read(in_folder("state"), &bytes);
    for (at = file + 8; memcmp(at, now, strlen(now)) != 0;)
        at++;
    memcpy(at, then, strlen(then));
    for (at = file + 8; memcmp(at, key, sizeof key - 1) != 0;)
        at++;
    at += sizeof key - 1;
    memset(at, '0', 16);
    mdm_digest_start(&d);
    mdm_digest_add(&d, file, bytes);
    mdm_digest_text(&d, digits);
    memcpy(at, digits, 16);
    tiny_write(in_folder("other"), file, bytes);
    free(file);
}

START_TEST(files_of_another_format)
{
    struct tiny t;

    tiny_open(&t, NULL);
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, in_folder("state")));
    write_with("\"maskdm.version\":\"0.", "\"maskdm.version\":\"7."); /* says who wrote it, and no more */
    OK(maskdm_trainer_load(t.trainer, path));
    write_with("\"maskdm.format\":\"1\"", "\"maskdm.format\":\"2\"");
    FAILS(MASKDM_EVERSION, "format 2; format 1 is read", maskdm_trainer_load(t.trainer, path));
    write_with("\"maskdm.format\":\"1\"", "\"maskdm.format\":\"x\"");
    FAILS(MASKDM_EFORMAT, "\"x\", not a number", maskdm_trainer_load(t.trainer, path));
    write_with("\"maskdm.format\"", "\"maskdm.formed\"");
    FAILS(MASKDM_EVERSION, "before its files had a format", maskdm_trainer_load(t.trainer, path));
    tiny_close(&t);
}
END_TEST

/* An option that a mask gains later leaves the states from before as they are: what they lack is the default. */
START_TEST(states_from_before_an_option)
{
    struct tiny t;

    tiny_open_on(&t, tiny_device("threads=1"), NULL, "type=block ratio=0.5", NULL, NULL, NULL);
    tiny_step(&t, 3);
    OK(maskdm_trainer_save(t.trainer, in_folder("state")));
    write_with(", \\\"ratio_levels\\\": 8", "                     ");
    OK(maskdm_trainer_load(t.trainer, path));
    write_with("\\\"ratio\\\": 0.5", "\\\"ratio\\\": 0.6");
    FAILS(MASKDM_EINVAL, "the file's mask has ratio 0.6, this one 0.5", maskdm_trainer_load(t.trainer, path));
    tiny_close(&t);
}
END_TEST

START_TEST(files_of_another_run)
{
    const struct {
        const char *network, *mask, *optimizer, *ema, *trainer, *part;
    } other[] = {
        { "image_size=8 patch_size=2 dim=32 depth=3 heads=2 mlp_ratio=2", NULL, NULL, NULL, NULL, "dim 16" },
        { NULL, "type=patch ratio=0.75", NULL, NULL, NULL, "mask is block, this one patch" },
        { NULL, NULL, "lr=1e-3", NULL, NULL, "lr 0.002" },
        { NULL, NULL, NULL, "start=3", NULL, "start 2" },
        { NULL, NULL, NULL, NULL, "batch_size=16 seed=3", "batch_size 8" },
        { NULL, NULL, NULL, NULL, "batch_size=8 seed=4", "seed 3" },
    };
    struct tiny source;

    tiny_open(&source, NULL);
    tiny_step(&source, 3);
    OK(maskdm_trainer_save(source.trainer, in_folder("state")));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        struct tiny t;

        tiny_open_on(&t, tiny_device("threads=1"), other[i].network, other[i].mask, other[i].optimizer, other[i].ema,
                     other[i].trainer);
        FAILS(MASKDM_EINVAL, other[i].part, maskdm_trainer_load(t.trainer, path));
        ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 0);
        tiny_step(&t, 1);
        tiny_close(&t);
    }
    OK(maskdm_model_save(source.model, in_folder("model")));
    FAILS(MASKDM_EFORMAT, "not a training state", maskdm_trainer_load(source.trainer, path));
    FAILS(MASKDM_ENOTFOUND, "nothing", maskdm_trainer_load(source.trainer, in_folder("nothing")));
    tiny_close(&source);
}
END_TEST

static int disk_is_full(void *user, const char *operation, const char *name)
{
    (void)user, (void)name;
    return strcmp(operation, "write") == 0 ? 28 : 0; /* ENOSPC */
}

START_TEST(full_disk)
{
    const struct mdm_file_hook hook = { disk_is_full, NULL };
    struct tiny t;
    size_t bytes, again;
    char *before, *after;

    tiny_open(&t, NULL);
    tiny_step(&t, 1);
    OK(maskdm_trainer_save(t.trainer, in_folder("state")));
    before = tiny_read(path, &bytes);
    tiny_step(&t, 1);
    mdm_file_hook_set(&hook);
    FAILS(MASKDM_EIO, path, maskdm_trainer_save(t.trainer, path));
    mdm_file_hook_set(NULL);
    after = tiny_read(path, &again);
    ck_assert_uint_eq(bytes, again);
    ck_assert_mem_eq(before, after, bytes);
    OK(maskdm_trainer_save(t.trainer, path));
    free(before);
    free(after);
    tiny_close(&t);
}
END_TEST

static int reads;

static int second_read_fails(void *user, const char *operation, const char *name)
{
    (void)name;
    return strcmp(operation, "read") == 0 && ++reads > *(int *)user ? 5 : 0; /* EIO */
}

/* Whenever the disk gives up, either nothing was touched or the trainer says that it needs a whole file. */
START_TEST(disk_that_gives_up)
{
    int after = 0, status = -1;
    const struct mdm_file_hook hook = { second_read_fails, &after };
    struct tiny t, source;
    float *x, *y;

    tiny_open(&t, NULL);
    tiny_open(&source, NULL);
    tiny_step(&source, 3);
    OK(maskdm_trainer_save(source.trainer, in_folder("state")));
    for (; status != MASKDM_OK; after++) {
        reads = 0;
        mdm_file_hook_set(&hook);
        status = maskdm_trainer_load(t.trainer, path);
        mdm_file_hook_set(NULL);
        ck_assert(status == MASKDM_OK || status == MASKDM_EIO);
        ck_assert_int_eq(maskdm_trainer_steps(t.trainer), status == MASKDM_OK ? 3 : 0);
    }
    ck_assert_int_gt(after, 10);
    x = tiny_weights(&t, MASKDM_WEIGHTS_EMA);
    y = tiny_weights(&source, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(x, y, tiny_bytes(&t));
    free(x);
    free(y);
    tiny_close(&t);
    tiny_close(&source);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *tests = tcase_create("state");

    tcase_add_test(tests, going_on_to_the_bit);
    tcase_add_test(tests, bad_steps_are_counted_across_files);
    tcase_add_test(tests, counters_are_kept_apart);
    tcase_add_test(tests, broken_files);
    tcase_add_test(tests, flipped_at_every_bit);
    tcase_add_test(tests, files_of_another_format);
    tcase_add_test(tests, states_from_before_an_option);
    tcase_add_test(tests, files_of_another_run);
    tcase_add_test(tests, full_disk);
    tcase_add_test(tests, disk_that_gives_up);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
