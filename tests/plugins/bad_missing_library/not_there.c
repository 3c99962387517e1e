// The library that is there when bad_missing_library is linked and not found when it is loaded.
int tapedeck_test_not_there(void);
int tapedeck_test_not_there(void) {
    return 0;
}
