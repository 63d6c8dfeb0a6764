/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a run on a folder of images begins: what is refused before any of them is read, what an end in between leaves,
 * and what is said of labels.
 */
#include "tiny.h"

#include "backend/device.h"
#include "base/alloc.h"
#include "os/file.h"

#include <sys/stat.h>

enum { IMAGES = 12 };

static char root[256], data[300], out[300];
static int opened; /* image files */

static const char network[] = "network=uvit mask=block image_size=8 channels=3 patch_size=2 dim=16 "
                              "depth=3 heads=2 mlp_ratio=2 threads=1 steps=2 ";

static void write_image(const char *path, int k)
{
    maskdm_image *image;

    tiny_draw_images();
    OK(maskdm_image_create(&image, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images[k], 0));
    OK(maskdm_image_write_png(image, path, 8));
    maskdm_image_release(&image);
}

static void setup(void)
{
    static int number;
    char name[32];

    if (!*root)
        snprintf(root, sizeof root, "%s", tiny_folder());
    snprintf(data, sizeof data, "%s/data%d", root, ++number);
    snprintf(out, sizeof out, "%s/out%d", root, number);
    ck_assert_int_eq(mkdir(data, 0777), 0);
    for (int k = 0; k < IMAGES; k++) {
        snprintf(name, sizeof name, "%02d.png", k);
        write_image(tiny_file(data, name), k);
    }
    *tiny_lines = '\0';
}

static int count_images(void *user, const char *operation, const char *path)
{
    (void)user;
    opened += strcmp(operation, "open") == 0 && strncmp(path, data, strlen(data)) == 0 && strstr(path, ".png");
    return 0;
}

static int run_watched(const char *more, maskdm_control *control, const struct mdm_file_hook *hook)
{
    char text[2048];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "data=%s out=%s %s batch_size=4 %s", data, out, network, more);
    o = tiny_options("pretrain", text);
    opened = 0;
    mdm_file_hook_set(hook);
    status = maskdm_pretrain(NULL, o, NULL, NULL, control);
    mdm_file_hook_set(NULL);
    maskdm_options_release(&o);
    return status;
}

static int run(const char *more, maskdm_control *control)
{
    const struct mdm_file_hook hook = {count_images, NULL};

    return run_watched(more, control, &hook);
}

static int exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Everything that costs nothing is asked before the first image is opened, and leaves nothing. */
START_TEST(refused_before_an_image_is_read)
{
    static const struct { int status; const char *options, *says; } no[] = {
        {MASKDM_EINVAL, "batch_size=16", "batch_size 16 is larger than the data, 12 images"},
        {MASKDM_EINVAL, "batch_size=12 val_share=0.1", "batch_size 12 is larger than the data, 11 images"},
        {MASKDM_EINVAL, "val_share=1", "val_share 1 leaves nothing to train on"},
        {MASKDM_EINVAL, "val=0.25", "val 0.25 is no folder; val_share holds out a share of the data"},
        {MASKDM_EINVAL, "val=nowhere val_share=0.25", "val nowhere and val_share 0.25"},
        {MASKDM_ENOTFOUND, "val=nowhere", "nowhere"},
        {MASKDM_EINVAL, "accumulate=3", "accumulate 3"},
        {MASKDM_EINVAL, "mask=crop mask_crop_size=9", "9"},
        {MASKDM_EINVAL, "background=0,0", "background has 2 values"},
        {MASKDM_ENOMEM, "memory_limit=50000", "50000"},
        {MASKDM_EINVAL, "heads=3", "heads 3"},
    };

    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        FAILS(no[i].status, no[i].says, run(no[i].options, NULL));
        ck_assert_int_eq(opened, 0);
        ck_assert(!exists(out));
    }
    OK(run("", NULL));
    ck_assert_int_ge(opened, IMAGES); /* the hook does see them */
}
END_TEST

static int read_only(void *user, const char *operation, const char *path)
{
    (void)count_images(user, operation, path);
    return strcmp(operation, "open") == 0 && strstr(path, ".tmp.") ? 30 : 0; /* EROFS */
}

START_TEST(folder_is_judged_before_an_image_is_read)
{
    const struct mdm_file_hook hook = {read_only, NULL};

    ck_assert_int_eq(mkdir(out, 0777), 0);
    FAILS(MASKDM_EIO, "ead-only", run_watched("", NULL, &hook));
    ck_assert_int_eq(opened, 0);
    ck_assert(exists(out)); /* it was there before */
    tiny_write(tiny_file(out, "notes.txt"), "mine", 4);
    FAILS(MASKDM_EINVAL, "not empty", run("", NULL));
    ck_assert_int_eq(opened, 0);
    ck_assert_int_eq(unlink(tiny_file(out, "notes.txt")), 0);
    OK(run("", NULL));
    FAILS(MASKDM_EINVAL, "lr 0.001", run("resume=true lr=2e-4", NULL));
    ck_assert_int_eq(opened, 0);
}
END_TEST

/* A checkpoint that is none of this run's. */
START_TEST(checkpoint_is_judged_before_an_image_is_read)
{
    char first[300];

    OK(run("seed=5", NULL));
    strcpy(first, out);
    strcat(out, "-other");
    OK(run("", NULL));
    ck_assert_int_eq(
        rename(tiny_file(first, "checkpoint-2.safetensors"), tiny_file(out, "checkpoint-2.safetensors")), 0);
    FAILS(MASKDM_EINVAL, "seed 5", run("resume=true", NULL));
    ck_assert_int_eq(opened, IMAGES); /* to mark them, which tells whether they are the same */
}
END_TEST

/* Folders above are made, too, and taken back as far as they are empty. */
START_TEST(folders_above_are_taken_back)
{
    char top[300];

    strcpy(top, out);
    ck_assert_int_eq(mkdir(top, 0777), 0);
    strcat(out, "/a/b//c/");
    FAILS(MASKDM_EINVAL, "batch_size 16", run("batch_size=16", NULL));
    ck_assert(exists(top) && !tiny_exists(top, "a"));
    ck_assert_int_eq(mkdir(tiny_file(top, "a"), 0777), 0);
    tiny_write(tiny_file(top, "a/mine"), "", 0);
    FAILS(MASKDM_EINVAL, "batch_size 16", run("batch_size=16", NULL));
    ck_assert(tiny_exists(top, "a/mine") && !tiny_exists(top, "a/b"));
    OK(run("", NULL));
    ck_assert(tiny_exists(out, "model.safetensors"));
}
END_TEST

static int stop_at_three(void *user, const struct maskdm_progress *p)
{
    if (p->files && p->files_read >= 3)
        maskdm_control_cancel(user);
    return 0;
}

static int slow(void *user, const char *operation, const char *path)
{
    if (strcmp(operation, "open") == 0 && strstr(path, ".png"))
        usleep(50000);
    return count_images(user, operation, path);
}

/* Cancelled while it reads: nothing was trained, nothing is left, and the next start is a first one. */
START_TEST(cancelled_while_reading)
{
    const struct mdm_file_hook hook = {slow, NULL};
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, stop_at_three, control);
    FAILS(MASKDM_ECANCELED, "reading the images was cancelled", run_watched("loaders=0", control, &hook));
    ck_assert_int_lt(opened, IMAGES);
    ck_assert(!exists(out));
    maskdm_control_set_progress(control, NULL, NULL);
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    maskdm_control_stop(control);
    ck_assert_int_eq(run("", control), MASKDM_ECANCELED);
    ck_assert_int_eq(opened, 0);
    OK(run("", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "found 12 images below "));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "12 images, "));
    maskdm_control_release(&control);
}
END_TEST

/* What is broken is known only once it was read: the batch is held against what is left. */
START_TEST(too_many_are_broken)
{
    char name[32];

    for (int k = 0; k < IMAGES - 3; k++) {
        snprintf(name, sizeof name, "%02d.png", k);
        tiny_write(tiny_file(data, name), "no image", 8);
    }
    FAILS(MASKDM_EINVAL, "batch_size 4 is larger than the data, 3 images", run("", NULL));
    ck_assert(!exists(out));
}
END_TEST

/* Images that a device has read ahead of a step that may not come: those of a batch, as far as they were not read. */
static int read_ahead(void)
{
    maskdm_device *device;
    int ahead;

    OK(maskdm_device_open(&device, "cpu", NULL));
    ahead = mdm_device_backend(device)->v->asynchronous ? 4 : 0;
    maskdm_device_release(&device);
    return ahead;
}

/* A run that goes on knows its files: each is opened for its mark and its first bytes, and only those that the step
 * needs are decoded. What was left out as broken is not tried again, and the order of the others is the same. */
START_TEST(resuming_decodes_what_it_needs)
{
    char first[300];

    tiny_write(tiny_file(data, "03b.png"), "\x89PNG\r\n\x1a\nno more", 15);
    strcpy(first, out);
    OK(run("steps=3", NULL));
    strcat(out, "-resumed");
    OK(run("", NULL));
    OK(run("resume=true steps=3 loaders=0", NULL));
    ck_assert_int_ge(opened, IMAGES + 1 + IMAGES + 4);
    ck_assert_int_le(opened, IMAGES + 1 + IMAGES + 4 + read_ahead());
    ck_assert(tiny_same_files(tiny_file(first, "model.safetensors"), tiny_file(out, "model.safetensors")));
}
END_TEST

/* ---- labels ---- */

/* Images in folders below the data, named "FOLDER/FOLDER/..."; those of setup() go. */
static void lay_out(const char *const *folder)
{
    char path[600];

    for (int k = 0; k < IMAGES; k++) {
        snprintf(path, sizeof path, "%s/%02d.png", data, k);
        ck_assert_int_eq(unlink(path), 0);
    }
    for (int n = 0; folder[n]; n++) {
        snprintf(path, sizeof path, "%s/%s/", data, folder[n]);
        for (char *slash = path + strlen(data) + 1; (slash = strchr(slash, '/')); slash++) {
            *slash = '\0';
            (void)mkdir(path, 0777);
            *slash = '/';
        }
        for (int k = 0; k < 4; k++) {
            char name[16];

            snprintf(name, sizeof name, "%s%d.png", *folder[n] ? "" : "beside", k);
            write_image(tiny_file(path, name), k);
        }
    }
}

/* What a run on these folders tells; "DATA" stands for its path. */
static const char *told(const char *more)
{
    static char text[8192];
    maskdm_control *control;
    size_t n = 0;

    *tiny_lines = '\0';
    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(more, control));
    maskdm_control_release(&control);
    for (const char *c = tiny_lines; *c;)
        if (strncmp(c, data, strlen(data)) == 0) {
            n += (size_t)sprintf(text + n, "DATA");
            c += strlen(data);
        } else {
            text[n++] = *c++;
        }
    text[n] = '\0';
    return text;
}

START_TEST(labels_that_look_wrong)
{
    static const struct {
        const char *folder[6], *options, *says; /* NULL: no warning */
    } set[] = {
        {{"train/a", "train/b"}, "classes=2",
         "the data have 1 label (train) and the network 2 classes; is DATA one level too high? DATA/train holds 2 "
         "folders of images (a, b)\n"},
        {{"x/train/a", "x/train/b", "x/train/b/deep"}, "classes=2",
         "the data have 1 label (x) and the network 2 classes; is DATA one level too high? DATA/x/train holds 2 "
         "folders of images (a, b)\n"},
        {{"Test/a", "Test/b", "Train/a", "Train/b"}, "classes=2",
         "the data have 2 labels (Test, Train) and the network 2 classes; is DATA one level too high? DATA/"},
        {{"test/a", "test/b", "train/a", "train/b"}, "classes=2", "DATA/train holds 2 folders of images (a, b)\n"},
        {{"a", "b"}, "classes=3", "the data have 2 labels (a, b) and the network 3 classes\n"},
        {{"only"}, "classes=3", "the data have 1 label (only) and the network 3 classes\n"},
        {{""}, "classes=2", "none of the 4 images of the data has a label, and the network has 2 classes; "},
        {{"", "a", "b"}, "classes=2",
         "4 of the 12 images of the data have no label, since they lie beside its folders: the first is "
         "DATA/beside0.png\n"},
        {{"a", "b"}, "classes=2", NULL},
        {{"a/x", "a/y", "b/x", "b/y"}, "classes=2", NULL}, /* people sort within a class */
        {{"train", "test"}, "classes=2", NULL},            /* nothing is inside them */
        {{"train/a", "train/b"}, "classes=0", NULL},
        {{"", "a"}, "classes=0", NULL},
        {{""}, "classes=0", NULL},
    };
    const char *text;

    lay_out(set[_i].folder);
    text = told(set[_i].options);
    if (set[_i].says)
        ck_assert_msg(strstr(text, "warning: ") && strstr(text, set[_i].says), "%s", text);
    else
        ck_assert_msg(!strstr(text, "warning: "), "%s", text);
    ck_assert_ptr_null(strstr(strstr(text, "warning: ") ? strstr(text, "warning: ") + 1 : text, "warning: "));
}
END_TEST

START_TEST(labels_without_classes)
{
    static const char *const folder[] = {"a", "b", NULL};

    lay_out(folder);
    ck_assert_ptr_nonnull(strstr(told(""), "the labels of the data are not used: the network has no classes "));
}
END_TEST

START_TEST(more_labels_than_classes)
{
    static const char *const folder[] = {"a", "b", "c", NULL};

    lay_out(folder);
    FAILS(MASKDM_EINVAL, "the data have 3 labels, the model 2 classes", run("classes=2", NULL));
    ck_assert_int_eq(opened, 0);
    ck_assert(!exists(out));
}
END_TEST

/* A held-out folder counts its labels by itself. */
START_TEST(labels_of_held_out_images)
{
    static const char *const folder[] = {"in/a", "in/b", "out/b", "more/a", "more/b", "more/c", "bare", NULL};
    char more[700], top[300];

    lay_out(folder);
    strcpy(top, data);
    strcat(data, "/in");
    snprintf(more, sizeof more, "classes=2 val=%s/out", top);
    ck_assert_ptr_null(strstr(told(more), "warning: label")); /* b is b, wherever it stands */
    snprintf(more, sizeof more, "classes=2 val=%s/bare", top);
    strcat(out, "2");
    ck_assert_ptr_nonnull(strstr(told(more), "warning: none of the 4 images of the held-out data has a label"));
    snprintf(more, sizeof more, "classes=2 val=%s/more", top);
    strcat(out, "3");
    FAILS(MASKDM_EINVAL, "label c of the held-out images is none of the data's: a, b", run(more, NULL));
    ck_assert_int_eq(opened, 0);
}
END_TEST

/* Labels that a host brings: counted, without names. */
START_TEST(labels_of_a_host)
{
    static const struct { int labels, unlabelled; const char *says; } set[] = {
        {1, 0, "warning: the data have 1 label and the network 2 classes\n"},
        {0, COUNT, "warning: none of the 40 images of the data has a label, and the network has 2 classes\n"},
        {2, 3, "warning: 3 of the 40 images of the data have no label\n"},
        {2, 0, NULL},
    };
    maskdm_device *device = tiny_device("threads=1");
    maskdm_control *control;
    maskdm_options *o;
    maskdm_data *host;
    int32_t label[COUNT];
    char text[1024];

    for (int i = 0; i < COUNT; i++)
        label[i] = i < set[_i].unlabelled ? -1 : i % set[_i].labels;
    tiny_draw_images();
    OK(maskdm_data_create_memory(&host, device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0,
                                 set[_i].labels ? label : NULL, NULL, NULL));
    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    snprintf(text, sizeof text, "out=%s %s batch_size=4 classes=2", out, network);
    o = tiny_options("pretrain", text);
    OK(maskdm_pretrain(NULL, o, host, NULL, control));
    ck_assert_msg(set[_i].says ? strstr(tiny_lines, set[_i].says) != NULL : strstr(tiny_lines, "warning") == NULL,
                  "%s", tiny_lines);
    maskdm_options_release(&o);
    maskdm_control_release(&control);
    maskdm_data_release(&host);
    maskdm_device_release(&device);
}
END_TEST

static void expect_names(const char *file, const char *const *name, int64_t count)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *m;

    OK(maskdm_model_load(&m, device, file));
    ck_assert_int_eq(maskdm_model_label_count(m), count);
    for (int64_t i = 0; i < count; i++)
        ck_assert_str_eq(maskdm_model_label_name(m, i), name[i]);
    maskdm_model_release(&m);
    maskdm_device_release(&device);
}

/* The names of the folders go into model and state; fine-tuning on other folders says which differ and takes theirs.
 * */
START_TEST(names_are_kept)
{
    static const char *const folder[] = {"one/ape", "one/b\xe9", "one/cat", "two/ape", "two/bee", "bare", NULL};
    static const char *const one[] = {"ape", "b\xe9", "cat"}, *const two[] = {"ape", "bee", "cat"};
    char init[2000], model[300], top[300];
    maskdm_control *control;
    maskdm_options *o;
    maskdm_file *f;

    lay_out(folder);
    strcpy(top, data);
    strcat(data, "/one");
    OK(run("classes=3", NULL));
    strcpy(model, tiny_file(out, "model.safetensors"));
    expect_names(model, one, 3);
    OK(maskdm_file_open(&f, tiny_file(out, "checkpoint-2.safetensors")));
    ck_assert_str_eq(maskdm_file_metadata(f, "maskdm.labels"), "[\"ape\", \"b\\uefe9\", \"cat\"]");
    maskdm_file_release(&f);
    OK(run("classes=3 resume=true steps=4", NULL));
    expect_names(model, one, 3);
    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    for (int i = 0; i < 2; i++) { /* other folders; none at all, which leaves the names */
        *tiny_lines = '\0';
        snprintf(init, sizeof init, "init=%s data=%s/%s out=%s-%d batch_size=4 steps=1 threads=1%s", model, top,
                 i ? "bare" : "two", out, i, i ? "" : " classes=3");
        o = tiny_options("finetune", init);
        OK(maskdm_finetune(NULL, o, NULL, NULL, control));
        maskdm_options_release(&o);
        snprintf(init, sizeof init, "%s-%d/model.safetensors", out, i);
        expect_names(init, i ? one : two, 3);
        ck_assert_int_eq(!strstr(tiny_lines, "warning: label 1 is b\\xe9 in the model and bee in the data\n"), i);
    }
    maskdm_control_release(&control);
}
END_TEST

static int tune(const char *model, int n, const char *more)
{
    char text[2048];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "init=%s data=%s out=%s-%d batch_size=4 steps=1 threads=1 %s", model, data, out, n,
             more);
    o = tiny_options("finetune", text);
    status = maskdm_finetune(NULL, o, NULL, NULL, NULL);
    maskdm_options_release(&o);
    return status;
}

/* What a model file says of network and process stands in the run's record; who says otherwise is refused. */
START_TEST(fine_tuning_follows_its_file)
{
    char model[300], record[400], *text;
    size_t bytes;

    OK(run("schedule=linear timesteps=50 prediction=x0", NULL));
    strcpy(model, tiny_file(out, "model.safetensors"));
    OK(tune(model, 0, "patch_size=2"));
    snprintf(record, sizeof record, "%s-0/options.json", out);
    OK(mdm_file_read_all(&text, &bytes, record, 1 << 20));
    ck_assert_ptr_nonnull(strstr(text, "\"network\": \"uvit\", "));
    ck_assert_ptr_nonnull(strstr(text, "\"dim\": 16, "));
    ck_assert_ptr_nonnull(strstr(text, "\"timesteps\": 50"));
    ck_assert_ptr_nonnull(strstr(text, "\"schedule\": \"linear\""));
    ck_assert_ptr_nonnull(strstr(text, "\"prediction\": \"x0\""));
    mdm_free(text);
    FAILS(MASKDM_EINVAL, "timesteps is 7, but ", tune(model, 1, "timesteps=7"));
    FAILS(MASKDM_EINVAL, "model.safetensors was made with 50", tune(model, 1, "timesteps=7"));
    FAILS(MASKDM_EINVAL, "process is flow, but ", tune(model, 1, "process=flow"));
    FAILS(MASKDM_EINVAL, "dim is 32, but ", tune(model, 1, "dim=32"));
    FAILS(MASKDM_EINVAL, "network is dit, but ", tune(model, 1, "network=dit"));
}
END_TEST

START_TEST(fine_tuning_follows_any_network)
{
    char model[300], record[400], *text;
    size_t bytes;

    FAILS(MASKDM_EINVAL, "option qkv_bias belongs to network=uvit|sit, but network is dit",
          run("network=dit qkv_bias=true", NULL));
    OK(run("network=dit depth=1", NULL));
    strcpy(model, tiny_file(out, "model.safetensors"));
    OK(tune(model, 0, "depth=1"));
    snprintf(record, sizeof record, "%s-0/options.json", out);
    OK(mdm_file_read_all(&text, &bytes, record, 1 << 20));
    ck_assert_ptr_nonnull(strstr(text, "\"network\": \"dit\", "));
    ck_assert_ptr_nonnull(strstr(text, "\"learn_sigma\": false"));
    ck_assert_ptr_null(strstr(text, "qkv_bias"));
    mdm_free(text);
    FAILS(MASKDM_EINVAL, "network is uvit, but ", tune(model, 1, "network=uvit"));
    FAILS(MASKDM_EINVAL, "option qkv_bias belongs to network=uvit|sit, but network is dit",
          tune(model, 1, "qkv_bias=true"));
}
END_TEST

/* Without classes the labels mean nothing to the network: equal files as from images without folders. */
START_TEST(names_without_classes_are_not_kept)
{
    static const char *const folder[] = {"a", "b", NULL};

    lay_out(folder);
    OK(run("", NULL));
    expect_names(tiny_file(out, "model.safetensors"), NULL, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("start");
    TCase *tests = tcase_create("start");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, refused_before_an_image_is_read);
    tcase_add_test(tests, folder_is_judged_before_an_image_is_read);
    tcase_add_test(tests, checkpoint_is_judged_before_an_image_is_read);
    tcase_add_test(tests, folders_above_are_taken_back);
    tcase_add_test(tests, cancelled_while_reading);
    tcase_add_test(tests, too_many_are_broken);
    tcase_add_test(tests, resuming_decodes_what_it_needs);
    tcase_add_loop_test(tests, labels_that_look_wrong, 0, 14);
    tcase_add_test(tests, labels_without_classes);
    tcase_add_test(tests, more_labels_than_classes);
    tcase_add_test(tests, labels_of_held_out_images);
    tcase_add_loop_test(tests, labels_of_a_host, 0, 4);
    tcase_add_test(tests, names_are_kept);
    tcase_add_test(tests, fine_tuning_follows_its_file);
    tcase_add_test(tests, fine_tuning_follows_any_network);
    tcase_add_test(tests, names_without_classes_are_not_kept);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
