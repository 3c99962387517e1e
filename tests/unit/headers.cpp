// A program must be there for its precompiled headers to be: position-independent code of libraries is another kind.
int main() {}
