/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training state: going on from a file is going on, to the bit; what is broken or of another run is refused and
 * changes nothing.
 */
#include "tiny.h"

#include "util/file.h"

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
    char *good, *bad;

    tiny_open(&t, NULL);
    tiny_open(&twin, NULL);
    tiny_open(&source, NULL);
    tiny_step(&source, 3);
    OK(maskdm_trainer_save(source.trainer, in_folder("state")));
    good = tiny_read(path, &bytes);
    bad = malloc(bytes);
    in_folder("bad");
    for (size_t cut = 0; cut < bytes; cut += 1 + bytes / 40) {
        tiny_write(path, good, cut);
        FAILS(MASKDM_EFORMAT, path, maskdm_trainer_load(t.trainer, path));
    }
    for (size_t i = 0; i < 400; i++) { /* header and data alike */
        size_t at = i < 200 ? i * 37 % 8000 : i * 7919 % bytes;
        int status;

        memcpy(bad, good, bytes);
        bad[at] = (char)(bad[at] ^ 1 << i % 8);
        tiny_write(path, bad, bytes);
        status = maskdm_trainer_load(t.trainer, path);
        ck_assert_msg(status == MASKDM_EFORMAT || status == MASKDM_EINVAL || maskdm_trainer_steps(t.trainer) == 3,
                      "a flip at byte %zu of %zu is %d", at, bytes, status);
        if (status == MASKDM_OK) { /* a flip in a word that nobody reads, such as the version's */
            ck_assert_uint_lt(at, 8000);
            OK(maskdm_trainer_load(twin.trainer, path));
        }
    }
    expect_unharmed(&t, &twin);
    free(good);
    free(bad);
    tiny_close(&t);
    tiny_close(&twin);
    tiny_close(&source);
}
END_TEST

START_TEST(files_of_another_run)
{
    const struct {
        const char *network, *mask, *optimizer, *ema, *trainer, *part;
    } other[] = {
        { "image_size=8 patch_size=2 dim=32 depth=3 heads=2 mlp_ratio=2", NULL, NULL, NULL, NULL, "dim 16" },
        { NULL, "type=patch ratio=0.75", NULL, NULL, NULL, "block, ratio 0.5" },
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
    const struct maskdm_file_hook hook = { disk_is_full, NULL };
    struct tiny t;
    size_t bytes, again;
    char *before, *after;

    tiny_open(&t, NULL);
    tiny_step(&t, 1);
    OK(maskdm_trainer_save(t.trainer, in_folder("state")));
    before = tiny_read(path, &bytes);
    tiny_step(&t, 1);
    maskdm_file_hook_set(&hook);
    FAILS(MASKDM_EIO, path, maskdm_trainer_save(t.trainer, path));
    maskdm_file_hook_set(NULL);
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
    const struct maskdm_file_hook hook = { second_read_fails, &after };
    struct tiny t, source;
    float *x, *y;

    tiny_open(&t, NULL);
    tiny_open(&source, NULL);
    tiny_step(&source, 3);
    OK(maskdm_trainer_save(source.trainer, in_folder("state")));
    for (; status != MASKDM_OK; after++) {
        reads = 0;
        maskdm_file_hook_set(&hook);
        status = maskdm_trainer_load(t.trainer, path);
        maskdm_file_hook_set(NULL);
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
    tcase_add_test(tests, broken_files);
    tcase_add_test(tests, files_of_another_run);
    tcase_add_test(tests, full_disk);
    tcase_add_test(tests, disk_that_gives_up);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
