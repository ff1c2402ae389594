/** A dump in the manner of mysqldump 8.0 with all that one may hold. Bytes, since binary strings are no text. */
const HEAD = `-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t8.0.36
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '8d791b68-2f48-11ef-95aa-080027dc0351:1-20';
-- CHANGE MASTER TO MASTER_LOG_FILE='binlog.000002', MASTER_LOG_POS=157;

CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`shop\` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;
USE \`shop\`;

DROP TABLE IF EXISTS \`item\`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
CREATE TABLE \`item\` (
  \`id\` int NOT NULL AUTO_INCREMENT COMMENT 'it''s; the key',
  \`owner_id\` bigint unsigned DEFAULT NULL,
  \`name\` varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  \`kind\` enum('new','used','it''s') DEFAULT 'new',
  \`tags\` set('a','b','c') NOT NULL DEFAULT '',
  \`price\` decimal(10,2) NOT NULL,
  \`gross\` decimal(10,2) GENERATED ALWAYS AS ((\`price\` * 2)) STORED,
  \`label\` varchar(60) GENERATED ALWAYS AS (concat(\`name\`,_utf8mb4'!')) VIRTUAL,
  \`doc\` json DEFAULT NULL,
  \`flags\` bit(8) DEFAULT b'0',
  \`raw\` varbinary(16) DEFAULT NULL,
  \`spot\` point /*!80003 SRID 4326 */ DEFAULT NULL,
  \`made\` year DEFAULT NULL,
  \`lasts\` time DEFAULT NULL,
  \`seen\` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  \`ratio\` double DEFAULT (1.5),
  \`changed\` timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (\`id\`),
  UNIQUE KEY \`name_kind\` (\`name\`(20),\`kind\`) USING BTREE COMMENT 'both',
  KEY \`owner\` (\`owner_id\` DESC),
  KEY \`lower_name\` ((lower(\`name\`))),
  FULLTEXT KEY \`words\` (\`name\`),
  CONSTRAINT \`item_owner\` FOREIGN KEY (\`owner_id\`) REFERENCES \`owner\` (\`id\`) ON DELETE CASCADE,
  CONSTRAINT \`dear\` CHECK ((\`price\` >= 0))
) ENGINE=InnoDB AUTO_INCREMENT=8 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci ROW_FORMAT=DYNAMIC
/*!50100 PARTITION BY RANGE (\`id\`)
(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */;
/*!40101 SET character_set_client = @saved_cs_client */;

LOCK TABLES \`item\` WRITE;
/*!40000 ALTER TABLE \`item\` DISABLE KEYS */;
INSERT INTO \`item\` (\`id\`, \`owner_id\`, \`name\`, \`kind\`, \`tags\`, \`price\`, \`doc\`, \`flags\`, \`raw\`, \`spot\`, \`made\`, \`lasts\`, \`seen\`, \`ratio\`, \`changed\`) VALUES (0,18446744073709551615,'a\\'b"c;é','it\\'s','a,c',12.50,'{\\"k\\": 1}',_binary '`;

const BODY = `-1e-3,'2024-02-29 10:00:00'),
(5,NULL,'','new','',-0.50,NULL,b'101',0x00ff,NULL,2024,'-01:02:03','0000-00-00 00:00:00',1.5e300,NULL);
/*!40000 ALTER TABLE \`item\` ENABLE KEYS */;
UNLOCK TABLES;

/*!50003 SET sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`root\`@\`%\`*/ /*!50003 TRIGGER \`t_bi\` BEFORE INSERT ON \`item\` FOR EACH ROW BEGIN
  SET NEW.price = 1; -- don't stop here
END */;;
CREATE DEFINER=\`root\`@\`%\` PROCEDURE \`p\`() BEGIN SELECT 1; END ;;
DELIMITER ;
DROP TABLE IF EXISTS \`dear_items\`;
/*!50001 DROP VIEW IF EXISTS \`dear_items\`*/;
/*!50001 CREATE VIEW \`dear_items\` AS SELECT 1 AS \`id\`*/;
INSERT IGNORE INTO shop.item (id, name, price) VALUES (5,'again',1);
REPLACE INTO item (id, name, price) VALUES (7,'first',1),(7,'second',2);
/*!50001 DROP VIEW IF EXISTS \`dear_items\`*/;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=\`root\`@\`%\` SQL SECURITY DEFINER */
/*!50001 VIEW \`dear_items\` AS select \`item\`.\`id\` AS \`id\` from \`item\` */;
GRANT SELECT ON shop.* TO 'reader'@'%';
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
-- Dump completed on 2024-03-01 12:00:00
`;

/** The bytes that stand in \`flags\`, \`raw\` and \`spot\` of the first row, escaped as mysqldump does and otherwise raw. */
const FLAGS = Buffer.from([0xaa]);
const RAW = Buffer.concat([Buffer.from([0xff, 0x5c, 0x27, 0x5c, 0x5c, 0x5c, 0x30, 0x0d, 0xfe])]);
const SPOT = Buffer.from([0x5c, 0x30, 0x5c, 0x30, 0x01, 0xf0, 0x3f]);

export const FIXTURE = Buffer.concat([
  Buffer.from(HEAD),
  FLAGS,
  Buffer.from("',_binary '"),
  RAW,
  Buffer.from("',_binary '"),
  SPOT,
  Buffer.from(`',1999,'838:59:59','2024-02-29 23:59:59',`),
  Buffer.from(BODY),
]);

/** The line of the first that has this text, counted from 1. */
export function lineOf(text: string): number {
  return FIXTURE.toString('latin1').split('\n').findIndex((line) => line.includes(text)) + 1;
}
