package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mandate/internal/fault"
)

// unfinished ends the names of files that are being written. Whoever writes one
// holds its lock, so what has the name and no lock was left by one that was
// killed.
const unfinished = ".unfinished"

// beginFile makes a file that nobody else writes, and clears away what killed
// backups have left beside it.
func beginFile(path string) (*os.File, error) {
	clearUnfinished(filepath.Dir(path))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fault.Newf(fault.Conflict, "Another backup is being written to %s.", path)
	}
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	if !locked(file) {
		_ = file.Close()
		return nil, fault.Newf(fault.Conflict, "Another backup clears away %s. Begin again.", path)
	}
	return file, nil
}

// locked locks a file and says whether it still has its name then. A file system
// without locks lets nobody clear away anything, and so it is as good as locked.
func locked(file *os.File) bool {
	if errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
		return false
	}
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(file.Name())
	return err == nil && os.SameFile(mine, named)
}

// clearUnfinished removes what it may: a file of another user's stays.
func clearUnfinished(folder string) {
	entries, _ := os.ReadDir(folder) // where that cannot be read, nothing is cleared
	for _, entry := range entries {
		if entry.Type().IsRegular() && strings.HasSuffix(entry.Name(), ".age"+unfinished) {
			removeUnlocked(filepath.Join(folder, entry.Name()))
		}
	}
}

func removeUnlocked(path string) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.Remove(path)
	}
}

// endFile gives a proven file its name as well, unless another file has that,
// and makes sure that it stays.
func endFile(path, name string) error {
	err := os.Link(path, name)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) {
		err = moveFile(path, name)
	}
	if errors.Is(err, os.ErrExist) {
		return nameTaken(name)
	}
	if err != nil {
		return fmt.Errorf("name the backup: %w", err)
	}
	if err := SyncFolder(filepath.Dir(name)); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// moveFile is for file systems on which a file has one name only: the name is
// taken by an empty file first, which no restore takes for a backup.
func moveFile(path, name string) error {
	empty, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(empty.Close(), os.Rename(path, name)); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func nameTaken(name string) error { return fault.Newf(fault.Conflict, "%s is there already.", name) }

// SyncFolder makes sure that the names in a folder stay.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("make sure that a file stays: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("make sure that a file stays: %w", err)
	}
	return nil
}

// spare is how much of a disk stays free beside what is written.
const spare = 64 << 20

// An asker says how many bytes may be written into a folder; nil asks the disk.
type asker func(folder string) (int64, error)

func (a asker) in(folder string) (int64, error) {
	if a != nil {
		return a(folder)
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err != nil {
		return 0, fmt.Errorf("ask how much room there is: %w", err)
	}
	return max(0, int64(disk.Bavail)*int64(disk.Bsize)-spare), nil
}

func noRoom(what string, most int64, folder string) error {
	return fault.Newf(fault.Conflict, "%s has more than the %d MiB for which there is room in %s, and nothing was changed.", what, most>>20, folder)
}
