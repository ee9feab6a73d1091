package v1alpha1

// BackupSpec says how often a database is backed up and where to: exactly one place.
type BackupSpec struct {
	// Azure Blob Storage.
	// +optional
	ABS *BackupABS `json:"abs,omitempty"`
	// FTP server.
	// +optional
	FTP *BackupFTP `json:"ftp,omitempty"`
	// Google Cloud Storage.
	// +optional
	GCS *BackupGCS `json:"gcs,omitempty"`
	// Seconds between backups. Default: 86400.
	// +optional
	Interval *int `json:"interval,omitempty"`
	// Seconds after midnight, or after noon too with an interval of 43200, at which backups start. Smaller than the
	// interval, which must be 86400 or 43200. Default: a random time.
	// +optional
	IntervalOffset *int `json:"intervalOffset,omitempty"`
	// Directory of the nodes.
	// +optional
	Mount *BackupMount `json:"mount,omitempty"`
	// Amazon S3 or a store with the same interface.
	// +optional
	S3 *BackupS3 `json:"s3,omitempty"`
	// SFTP server.
	// +optional
	SFTP *BackupSFTP `json:"sftp,omitempty"`
	// OpenStack Swift.
	// +optional
	Swift *BackupSwift `json:"swift,omitempty"`
}

// BackupABS is a container of Azure Blob Storage.
type BackupABS struct {
	// Secret with the keys `AccountName` and `AccountKey`.
	ABSSecretName string `json:"absSecretName"`
	// Name of the container.
	Container string `json:"container"`
	// Directory in it. Default: the top.
	// +optional
	Subdir string `json:"subdir,omitempty"`
}

// BackupFTP is a directory of an FTP server.
type BackupFTP struct {
	// Address, ftp:// or ftps://, with user and password if needed.
	// +kubebuilder:validation:Pattern=`ftps?://(([^@]+)@)?([^@/:]+)(:(\d+))?([/\.]/?[^@/\.]+)*?/?$`
	URL string `json:"url"`
}

// BackupGCS is a bucket of Google Cloud Storage.
type BackupGCS struct {
	// Name of the bucket.
	BucketName string `json:"bucketName"`
	// Secret with the keys `CLIENT_ID`, `PRIVATE_KEY`, `PRIVATE_KEY_ID` and `CLIENT_EMAIL`.
	GCSSecretName string `json:"gcsSecretName"`
	// Directory in it. Default: the top.
	// +optional
	Subdir string `json:"subdir,omitempty"`
}

// BackupMount is a directory of the nodes.
type BackupMount struct {
	// Path, which must exist in every node pod.
	Path string `json:"path"`
}

// BackupS3 is a bucket of Amazon S3 or a store with the same interface.
type BackupS3 struct {
	// Secret with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
	AWSSecretName string `json:"awsSecretName"`
	// Name of the bucket.
	BucketName string `json:"bucketName"`
	// Directory in it. Default: the top.
	// +optional
	Subdir string `json:"subdir,omitempty"`
	// Region of the bucket.
	// +optional
	RegionName string `json:"regionName,omitempty"`
}

// BackupSFTP is a directory of an SFTP server.
type BackupSFTP struct {
	// Address, sftp://user@host/directory.
	// +kubebuilder:validation:Pattern=`^sftp://(([^@]+)@)?([^@/:]+)(:(\d+))?(/([^@/\.]+[/\.]?)*)?$`
	SFTPURL string `json:"sftp_url"`
	// Secret whose key `Key` holds the private key.
	SFTPSecretName string `json:"sftpSecretName"`
}

// BackupSwift is a container of OpenStack Swift.
type BackupSwift struct {
	// Address of the authentication service.
	// +kubebuilder:validation:Pattern=`^https?://(([^@]+)@)?([^@/:]+)(:(\d+))?([/\.]([^@/\.]+))*?/?$`
	AuthURL string `json:"auth_url"`
	// Name of the container.
	Container string `json:"container"`
	// Prefix of the object names. Default: none.
	// +optional
	Prefix string `json:"prefix,omitempty"`
	// Secret with the keys `User` and `Key`.
	SwiftSecretName string `json:"swiftSecretName"`
}
