package dbfile

import "os"

// OpenMemory makes a new file that is gone when it is closed. On Linux it is in memory
// alone. Elsewhere it is one in the directory for temporary files whose name is removed at
// once, so that nothing is left of it however the program ends; where an open file can't
// be removed, as on Windows, Close removes it. Of the options GrowBytes and MapBytes
// count.
func OpenMemory(o Options) (*File, error) {
	return open("", Options{MapBytes: o.MapBytes, GrowBytes: o.GrowBytes, memory: true}, false)
}

// temporaryFile makes a file without a name. Where that has to stay until the file is
// closed it is returned.
func temporaryFile() (file *os.File, name string, err error) {
	file, err = os.CreateTemp("", "dcrspv-*.db")
	if err == nil && os.Remove(file.Name()) != nil {
		name = file.Name()
	}
	return file, name, err
}
