/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A power cut may come between any two operations of a save: a file is written whole and flushed before it gets its
 * name, the name is flushed into the folder, and only then does an older checkpoint go.
 */
#include "rig.h"

#include "os/file.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum state { WRITTEN = 1, FLUSHED, NAMED, DURABLE, GONE };

enum { FILES = 64, NAME = 256 };

static struct file {
    char path[NAME];
    enum state state;
} file[FILES];
static int files, renames, removals;
static char wrong[1024]; /* the first breach */

static struct file *find(const char *path)
{
    for (int i = 0; i < files; i++)
        if (strcmp(file[i].path, path) == 0)
            return &file[i];
    if (files == FILES) {
        snprintf(wrong, sizeof wrong, "more than %d files", FILES);
        return &file[0];
    }
    snprintf(file[files].path, NAME, "%s", path);
    return &file[files++];
}

static int stands_in(const struct file *f, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(f->path, folder, n) == 0 && f->path[n] == '/' && !strchr(f->path + n + 1, '/');
}

static long step_of(const char *path)
{
    const char *name = strrchr(path, '/');
    long step;

    return name && sscanf(name, "/checkpoint-%ld.safetensors", &step) == 1 ? step : -1;
}

static void complain(const char *what, const char *path)
{
    if (!wrong[0])
        snprintf(wrong, sizeof wrong, "%.200s: %.700s", what, path);
}

static void on_fsync(const char *path)
{
    struct file *f;

    for (int i = 0; i < files; i++)
        if (file[i].state == NAMED && stands_in(&file[i], path))
            file[i].state = DURABLE;
    f = find(path);
    if (f->state == WRITTEN)
        f->state = FLUSHED;
}

static void on_unlink(const char *path)
{
    long step = step_of(path);
    int newer = 0;

    if (step < 0)
        return;
    removals++;
    for (int i = 0; i < files; i++)
        newer += file[i].state == DURABLE && step_of(file[i].path) > step;
    if (!newer)
        complain("removed before a newer checkpoint was durable", path);
    find(path)->state = GONE;
}

static int watch(void *user, const char *operation, const char *path)
{
    (void)user;
    if (strcmp(operation, "write") == 0) {
        find(path)->state = WRITTEN;
    } else if (strcmp(operation, "fsync") == 0) {
        on_fsync(path);
    } else if (strcmp(operation, "rename") == 0) {
        renames++;
        if (find(path)->state != FLUSHED)
            complain("named before it was flushed", path);
        find(path)->state = NAMED;
    } else if (strcmp(operation, "unlink") == 0) {
        on_unlink(path);
    }
    return 0;
}

static void expect_durable(void)
{
    for (int i = 0; i < files; i++)
        if (file[i].state == NAMED || file[i].state == FLUSHED)
            complain("said to be saved, but is not durable", file[i].path);
    ck_assert_msg(!wrong[0], "%s", wrong);
}

static void begin(void)
{
    static const struct mdm_file_hook hook = {.before = watch};

    files = renames = removals = 0;
    wrong[0] = '\0';
    mdm_file_hook_set(&hook);
}

/* After each step everything that was named is durable. */
static int after_step(void *user, const struct maskdm_progress *progress)
{
    (void)user;
    (void)progress;
    for (int i = 0; i < files; i++)
        if (file[i].state == NAMED)
            complain("not durable before the next step", file[i].path);
    return 0;
}

START_TEST(test_run_folder)
{
    char folder[64] = "durable_XXXXXX", text[512], command[128];
    maskdm_device *dev = rig_device("threads=1");
    maskdm_data *data = rig_data(dev);
    maskdm_control *control;
    maskdm_options *o;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(text, sizeof text, "data=none out=%s/run %s batch_size=4 steps=5 save_every=1 keep=2 timesteps=20",
             folder, RIG_NETWORK);
    o = rig_options("pretrain", text);
    MUST(maskdm_control_create(&control));
    maskdm_control_set_progress(control, after_step, NULL);
    begin();
    MUST(maskdm_pretrain(NULL, o, data, NULL, control));
    mdm_file_hook_set(NULL);
    expect_durable();
    ck_assert_int_ge(renames, 7); /* options, five checkpoints, the model */
    ck_assert_int_eq(removals, 3);
    maskdm_control_release(&control);
    maskdm_options_release(&o);
    maskdm_data_release(&data);
    maskdm_device_release(&dev);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(test_single_files)
{
    char folder[64] = "durable_XXXXXX", path[128], command[128];
    maskdm_device *dev = rig_device("threads=1");
    maskdm_model *m = rig_model(dev, RIG_NETWORK);
    maskdm_trainer *t = rig_trainer(m, "", "batch_size=4", NULL);
    unsigned char pixel[RIG_VALUES] = {0};
    maskdm_image *image;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    MUST(maskdm_image_create(&image, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
    begin();
    snprintf(path, sizeof path, "%s/state.safetensors", folder);
    MUST(maskdm_trainer_save(t, path));
    expect_durable();
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    MUST(maskdm_model_save(m, path));
    expect_durable();
    snprintf(path, sizeof path, "%s/image.png", folder);
    MUST(maskdm_image_write_png(image, path, 8));
    expect_durable();
    ck_assert_int_eq(renames, 3);
    mdm_file_hook_set(NULL);
    maskdm_image_release(&image);
    maskdm_trainer_release(&t);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* The same order holds where a link leads, and it is that folder which is flushed. */
START_TEST(test_end_of_links)
{
    char folder[64] = "durable_XXXXXX", path[128], far[128], command[128];
    unsigned char pixel[RIG_VALUES] = {0};
    maskdm_image *image;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(far, sizeof far, "%s/far", folder);
    ck_assert_int_eq(mkdir(far, 0777), 0);
    snprintf(path, sizeof path, "%s/near.png", folder);
    ck_assert_int_eq(symlink("far/image.png", path), 0);
    MUST(maskdm_image_create(&image, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
    begin();
    for (int i = 0; i < 2; i++) {
        MUST(maskdm_image_write_png(image, path, 8));
        expect_durable();
    }
    mdm_file_hook_set(NULL);
    ck_assert_int_eq(renames, 2);
    snprintf(far, sizeof far, "%s/far/image.png", folder);
    ck_assert_int_eq(find(far)->state, DURABLE);
    maskdm_image_release(&image);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    const TTest *test[] = {test_run_folder, test_single_files, test_end_of_links};

    return rig_run("durable", test, sizeof test / sizeof *test);
}
